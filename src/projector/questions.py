"""What can be asked of the read models: each question's name, columns and SQL."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """How a column's values are to be read and shown.

    MONEY is a decimal string with all decimals of the currency beside it, INSTANT RFC 3339 in UTC,
    SPAN whole seconds, JSON a value of its own.
    """

    TEXT = "TEXT"
    MONEY = "MONEY"
    INSTANT = "INSTANT"
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
    the columns add up.
    """

    name: str
    about: str
    view: str
    columns: tuple[Column, ...]
    expressions: dict[str, str] = {}
    tail: str


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
            "account_id currency refunds:NUMBER amount:MONEY refund_usd:MONEY"
            " cancelled_commitment_usd:MONEY next_release_at:INSTANT next_release_usd:MONEY"
        ),
        tail="ORDER BY account_id",
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
    ),
)

QUESTIONS: dict[str, Question] = {question.name: question for question in _ALL}
"""Every question by its name."""
