"""What can be asked of the read models: each question's name, columns and SQL."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """How a column's values are to be read and shown.

    MONEY is a decimal string with all decimals of the currency beside it, INSTANT RFC 3339 in UTC,
    DAY ISO 8601, SPAN whole seconds, JSON a value of its own.
    """

    TEXT = "TEXT"
    MONEY = "MONEY"
    INSTANT = "INSTANT"
    DAY = "DAY"
    SPAN = "SPAN"
    NUMBER = "NUMBER"
    FLAG = "FLAG"
    TEXTS = "TEXTS"
    JSON = "JSON"


class Column(Struct, frozen=True, kw_only=True):
    """A column of an answer."""

    name: str
    kind: Kind


class Question(Struct, frozen=True, kw_only=True):
    """A question, and the view that answers it. `tail` orders the rows, and groups them first where
    the columns add up. `at` is the function that answers it of the past, where there is one;
    `of_accounts` says whether it can be asked of one account.
    """

    name: str
    about: str
    view: str
    columns: tuple[Column, ...]
    expressions: dict[str, str] = {}
    tail: str
    at: str | None = None
    of_accounts: bool = True


def _columns(text: str) -> tuple[Column, ...]:
    """`"amount:MONEY rule"` → the columns; TEXT where no kind is said."""
    pairs = (word.partition(":") for word in text.split())
    return tuple(Column(name=name, kind=Kind(kind or "TEXT")) for name, _, kind in pairs)


_ALL = (
    Question(
        name="accounts",
        about="the accounts, their type, currency and standing",
        view="finance.accounts",
        columns=_columns(
            "account_id account_type us_government:FLAG currency in_arrears:FLAG card_id"
            " opened_at:INSTANT"
        ),
        tail="ORDER BY account_id",
    ),
    Question(
        name="balances",
        about="what was credited to each account's balance, by fund",
        view="finance.balances",
        columns=_columns("account_id currency cash:MONEY gift:MONEY total:MONEY"),
        tail="ORDER BY account_id",
        at="finance.balances_at",
    ),
    Question(
        name="instances",
        about="the instances, their state, and until when they are paid for",
        view="finance.instances",
        columns=_columns(
            "account_id instance_id billing product region state ends_at:INSTANT"
            " recorded_at:INSTANT"
        ),
        tail="ORDER BY account_id, instance_id",
    ),
    Question(
        name="recycle-bin",
        about="every stay in the recycle bin: why, until when, what became of it",
        view="finance.recycle_bin",
        columns=_columns(
            "account_id instance_id reason state isolated_at:INSTANT restore_until:INSTANT"
            " time_left:SPAN averted_by restored_at:INSTANT destroyed_at:INSTANT"
            " destroyed_because refund_id refund_currency refund_amount:MONEY isolation_id"
        ),
        tail="ORDER BY account_id, isolated_at, instance_id, isolation_id",
        at="finance.recycle_bin_at",
    ),
    Question(
        name="refunds",
        about="every refund: what for, by what rule, how much, how far it has come",
        view="finance.refunds",
        columns=_columns(
            "account_id refund_id source_kind source_id rule state currency gross:MONEY fee:MONEY"
            " amount:MONEY cash:MONEY gift:MONEY original:MONEY issued_at:INSTANT"
            " occurred_at:INSTANT expected_arrival_at:INSTANT settled_at:INSTANT held_because"
            " corrected_at:INSTANT corrected_because auto_approved:FLAG quota_spent:FLAG ticket"
            " command_id working:JSON"
        ),
        tail="ORDER BY account_id, issued_at, refund_id",
    ),
    Question(
        name="annual-refund-totals",
        about="what was refunded in the last 365 days, and what of it uses the cap",
        view="finance.annual_refund_totals",
        columns=_columns(
            "account_id currency refunds:NUMBER amount:MONEY cap_usd:MONEY cap_basis"
            " refund_usd:MONEY refund_left_usd:MONEY next_release_at:INSTANT"
            " next_release_usd:MONEY cancelled_commitment_usd:MONEY commitment_left_usd:MONEY"
            " commitment_next_release_at:INSTANT commitment_next_release_usd:MONEY"
        ),
        tail="ORDER BY account_id",
        at="finance.annual_refund_totals_at",
    ),
    Question(
        name="refusals",
        about="every rule a refused command violated, with the figures compared",
        view="finance.refusals",
        columns=_columns(
            "account_id command_id command_type position:NUMBER rule code message figures:JSON"
            " actor_id actor_role refused_at:INSTANT"
        ),
        tail="ORDER BY account_id, refused_at, log_sequence, position",
    ),
    Question(
        name="postings",
        about="the journal: every debit and credit line",
        view="finance.postings",
        columns=_columns(
            "account_id event_name transaction:NUMBER line:NUMBER ledger_account side currency"
            " amount:MONEY occurred_at:INSTANT recorded_at:INSTANT event_id"
        ),
        tail="ORDER BY account_id, log_sequence, line",
        at="finance.postings_at",
    ),
    Question(
        name="outcomes",
        about="what each command led to: its events, or its refusal",
        view="finance.outcomes",
        columns=_columns(
            "account_id command_id command_type refused:FLAG event_names:TEXTS event_ids:TEXTS"
            " quote_id quote_currency quote_amount:MONEY recorded_at:INSTANT command_digest"
        ),
        tail="ORDER BY account_id, log_sequence",
    ),
    Question(
        name="trial",
        about="the sum of all postings per currency: debits equal credits",
        view="finance.postings",
        columns=_columns("currency debit:MONEY credit:MONEY difference:MONEY postings:NUMBER"),
        expressions={
            "debit": "coalesce(sum(amount) FILTER (WHERE side = 'DEBIT'), 0)",
            "credit": "coalesce(sum(amount) FILTER (WHERE side = 'CREDIT'), 0)",
            "difference": "sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END)",
            "postings": "count(*)",
        },
        tail="GROUP BY currency ORDER BY currency",
        at="finance.postings_at",
    ),
    Question(
        name="trial-balance",
        about="debits, credits and balance of each account of the books",
        view="finance.postings",
        columns=_columns("currency ledger_account debit:MONEY credit:MONEY balance:MONEY"),
        expressions={
            "debit": "sum(CASE side WHEN 'DEBIT' THEN amount ELSE 0 * amount END)",
            "credit": "sum(CASE side WHEN 'CREDIT' THEN amount ELSE 0 * amount END)",
            "balance": "sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END)",
        },
        tail="GROUP BY currency, ledger_account ORDER BY currency, ledger_account",
        at="finance.postings_at",
    ),
    Question(
        name="journal",
        about="the double entry, debit and credit side by side",
        view="finance.journal",
        columns=_columns(
            "entry_id line:NUMBER account_id business_date:DAY event_name ledger_account"
            " debit:MONEY credit:MONEY currency recorded_at:INSTANT occurred_at:INSTANT event_id"
        ),
        tail="ORDER BY account_id, log_sequence, line",
    ),
    Question(
        name="statement",
        about="the income and expense lines of each balance, with the balance after each",
        view="finance.statement",
        columns=_columns(
            "account_id line:NUMBER business_date:DAY recorded_at:INSTANT kind event_name"
            " refund_id currency cash:MONEY gift:MONEY amount:MONEY balance_cash:MONEY"
            " balance_gift:MONEY balance:MONEY occurred_at:INSTANT"
        ),
        tail="ORDER BY account_id, line",
        at="finance.statement_at",
    ),
    Question(
        name="refund-progress",
        about="what happened to each refund, step by step",
        view="finance.refund_progress",
        columns=_columns(
            "account_id refund_id step:NUMBER event_name reference reason actor_role"
            " recorded_at:INSTANT occurred_at:INSTANT command_id"
        ),
        tail="ORDER BY account_id, refund_id, step",
    ),
    *(
        Question(
            name=f"refund-totals-by-{kind}-year",
            about=f"what was refunded in each {kind} year, on both bases of the cap",
            view=f"finance.refund_totals_by_{kind}_year",
            columns=_columns(
                "account_id year_starts_on:DAY year_ends_on:DAY currency refunds:NUMBER"
                " amount:MONEY cap_usd:MONEY refund_usd:MONEY refund_left_usd:MONEY"
                " cancelled_commitment_usd:MONEY commitment_left_usd:MONEY"
                " next_release_at:INSTANT next_release_usd:MONEY"
                " commitment_next_release_usd:MONEY"
            ),
            tail="ORDER BY account_id, year_starts_on, currency",
        )
        for kind in ("calendar", "fiscal")
    ),
    Question(
        name="quotas",
        about="the self-service returns each account has used and has left",
        view="finance.quotas",
        columns=_columns(
            "account_id quota allowed:NUMBER used:NUMBER pending:NUMBER available:NUMBER terms"
        ),
        tail="ORDER BY account_id, quota",
    ),
    Question(
        name="marketplace-requests",
        about="applications for a marketplace refund, and when they are due",
        view="finance.marketplace_requests",
        columns=_columns(
            "account_id purchase_id request_id product_kind vendor_id buyer_id reason state"
            " requested_at:INSTANT due_at:INSTANT time_left:SPAN approved_at:INSTANT"
            " auto_approved:FLAG held_at:INSTANT held_by_invoice ended_at:INSTANT note refund_id"
            " refund_currency refund_amount:MONEY"
        ),
        tail="ORDER BY account_id, requested_at, request_id",
    ),
    Question(
        name="reservations",
        about="the reservations, and what is left of each today",
        view="finance.reservations",
        columns=_columns(
            "account_id reservation_id state product_type sku region product_family"
            " exchangeable:FLAG quantity:NUMBER original_quantity:NUMBER term_months:NUMBER"
            " starts_on:DAY ends_on:DAY currency total:MONEY billing_plan instalment:NUMBER"
            " remaining_days:NUMBER period_days:NUMBER remaining_value:MONEY"
            " remaining_commitment:MONEY payment_method term_id invoice_id card_id owners:JSON"
            " bought_in_exchange:FLAG purchased_at:INSTANT"
        ),
        tail="ORDER BY account_id, starts_on, reservation_id",
    ),
    Question(
        name="documents",
        about="credit memos, invoices and held credits",
        view="finance.documents",
        columns=_columns(
            "account_id kind document_id state refund_id currency amount:MONEY open_amount:MONEY"
            " issued_at:INSTANT ended_at:INSTANT lines:JSON"
        ),
        tail="ORDER BY account_id, issued_at, kind, document_id",
    ),
    Question(
        name="commitment-terms",
        about="the commitments of enrolments, and what refunds credited to them",
        view="finance.commitment_terms",
        columns=_columns(
            "account_id term_id starts_on:DAY ends_on:DAY state currency amount:MONEY"
            " credited:MONEY opened_at:INSTANT"
        ),
        tail="ORDER BY account_id, starts_on, term_id",
    ),
    Question(
        name="refusals-by-rule",
        about="how often each rule refused which command",
        view="finance.refusals",
        columns=_columns(
            "rule code command_type refusals:NUMBER accounts:NUMBER first_at:INSTANT"
            " last_at:INSTANT"
        ),
        expressions={
            "refusals": "count(*)",
            "accounts": "count(DISTINCT account_id)",
            "first_at": "min(refused_at)",
            "last_at": "max(refused_at)",
        },
        tail="GROUP BY rule, code, command_type ORDER BY count(*) DESC, rule, code, command_type",
    ),
    Question(
        name="events",
        about="every event as it stands in the log",
        view="finance.events",
        columns=_columns(
            "account_id sequence:NUMBER event_name occurred_at:INSTANT recorded_at:INSTANT"
            " command_id actor_id actor_role terms event_id body:JSON"
        ),
        tail="ORDER BY account_id, sequence",
    ),
    Question(
        name="terms",
        about="the numbers that the views go by, by version",
        view="finance.terms",
        columns=_columns(
            "version effective_from:INSTANT time_zone full_refunds_per_account:NUMBER"
            " ordinary_returns_per_account:NUMBER marketplace_refunds_per_account:NUMBER"
            " cap_usd:MONEY cap_window_days:NUMBER cap_basis not_exchangeable:JSON families:JSON"
        ),
        tail="ORDER BY position",
        of_accounts=False,
    ),
    Question(
        name="reached",
        about="how far the views have come, and until when the past is complete",
        view="finance.reached",
        columns=_columns(
            "partition:NUMBER events:NUMBER last_recorded_at:INSTANT reached_until:INSTANT"
        ),
        tail="ORDER BY partition",
        of_accounts=False,
    ),
)

QUESTIONS: dict[str, Question] = {question.name: question for question in _ALL}
"""Every question by its name."""
