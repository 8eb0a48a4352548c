"""Queries about the double entry."""

from __future__ import annotations

from projector.questions.question import Question, columns

_TRIAL = """(
SELECT t.currency, sum(t.debit_minor) * c.unit AS debit, sum(t.credit_minor) * c.unit AS credit,
       sum(t.debit_minor - t.credit_minor) * c.unit AS difference,
       sum(t.postings)::bigint AS postings
FROM finance.ledger_totals t JOIN finance.currencies c ON c.code = t.currency
GROUP BY t.currency, c.unit)"""

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="journal",
        about="the journal, with debit and credit in two columns",
        view="finance.journal",
        columns=columns(
            "entry_id line:NUMBER account_id business_date:DAY event_name ledger_account"
            " debit:MONEY credit:MONEY currency recorded_at:INSTANT occurred_at:INSTANT event_id"
        ),
        order="account_id log_sequence line",
        by_events_alone=False,
    ),
    Question(
        name="postings",
        about="the journal: every debit and credit line",
        view="finance.postings",
        columns=columns(
            "account_id event_name transaction:NUMBER line:NUMBER ledger_account side currency"
            " amount:MONEY occurred_at:INSTANT recorded_at:INSTANT event_id"
        ),
        order="account_id log_sequence line",
        at="finance.postings_at",
    ),
    Question(
        name="trial",
        about="the sum of all postings per currency: debits equal credits",
        view="finance.postings",
        columns=columns("currency debit:MONEY credit:MONEY difference:MONEY postings:NUMBER"),
        expressions={
            "debit": "coalesce(sum(amount) FILTER (WHERE side = 'DEBIT'), 0)",
            "credit": "coalesce(sum(amount) FILTER (WHERE side = 'CREDIT'), 0)",
            "difference": "sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END)",
            "postings": "count(*)",
        },
        group_by="currency",
        whole=_TRIAL,
        order="currency",
        at="finance.postings_at",
    ),
    Question(
        name="trial-balance",
        about="debits, credits and balance of each account of the books",
        view="finance.postings",
        columns=columns("currency ledger_account debit:MONEY credit:MONEY balance:MONEY"),
        expressions={
            "debit": "sum(CASE side WHEN 'DEBIT' THEN amount ELSE 0 * amount END)",
            "credit": "sum(CASE side WHEN 'CREDIT' THEN amount ELSE 0 * amount END)",
            "balance": "sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END)",
        },
        group_by="currency, ledger_account",
        whole="finance.trial_balance",
        order="currency ledger_account",
        at="finance.postings_at",
    ),
)
"""In the order they are listed."""
