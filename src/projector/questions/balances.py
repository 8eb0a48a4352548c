"""Queries about accounts and their balances."""

from __future__ import annotations

from projector.questions.question import Keys, Question, columns

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="accounts",
        about="the accounts, their type, currency and standing",
        view="finance.accounts",
        columns=columns(
            "account_id account_type us_government:FLAG currency in_arrears:FLAG card_id"
            " opened_at:INSTANT"
        ),
        order="account_id",
    ),
    Question(
        name="balances",
        about="the refunds credited to each account's balance, by fund",
        view="finance.balances",
        columns=columns("account_id currency cash:MONEY gift:MONEY total:MONEY"),
        order="account_id",
        keys=Keys(sources=("finance.accounts",)),
        at="finance.balances_at",
    ),
    Question(
        name="statement",
        about="the income and expense lines of each balance, with the balance after each",
        view="finance.statement",
        columns=columns(
            "account_id line:NUMBER business_date:DAY recorded_at:INSTANT kind event_name"
            " refund_id currency cash:MONEY gift:MONEY amount:MONEY balance_cash:MONEY"
            " balance_gift:MONEY balance:MONEY occurred_at:INSTANT"
        ),
        order="account_id line",
        keys=Keys(
            sources=("finance.postings WHERE ledger_account IN ('balance:cash', 'balance:gift')",)
        ),
        at="finance.statement_at",
        by_events_alone=False,
    ),
    Question(
        name="quotas",
        about="the self-service returns used and left of each account",
        view="finance.quotas",
        columns=columns(
            "account_id quota allowed:NUMBER used:NUMBER pending:NUMBER available:NUMBER terms"
        ),
        order="account_id quota",
        keys=Keys(sources=("finance.accounts WHERE account_type = 'ONLINE'",)),
        by_events_alone=False,
    ),
    Question(
        name="commitment-terms",
        about="the commitments of enrolments, and the refunds credited to them",
        view="finance.commitment_terms",
        columns=columns(
            "account_id term_id starts_on:DAY ends_on:DAY state currency amount:MONEY"
            " credited:MONEY opened_at:INSTANT"
        ),
        order="account_id starts_on term_id",
        keys=Keys(sources=("finance.events WHERE event_name = 'CommitmentTermOpened'",)),
        by_events_alone=False,
    ),
)
"""In the order they are listed."""
