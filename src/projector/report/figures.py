"""Reads the figures of a period's report from the finance views, in one snapshot."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
import psycopg
from msgspec import Struct
from psycopg import IsolationLevel

from ledger.values.instants import Instant, as_datetime, format_instant
from projector.exports.period import Period, position, see_that_it_is_complete

_REFUNDS = """
SELECT currency, to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
       coalesce(rule, 'EXCHANGE') AS rule, sum(amount), count(*)
FROM finance.refunds WHERE issued_at >= %(since)s AND issued_at < %(until)s
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_CAPS = """
SELECT account_id, coalesce(CASE cap_basis WHEN 'REFUND' THEN refund_usd
       ELSE cancelled_commitment_usd END, 0), cap_usd
FROM finance.annual_refund_totals_at(as_of => %(last)s, known_at => %(last)s)
WHERE refund_usd IS NOT NULL ORDER BY 2 DESC, account_id COLLATE "C" LIMIT 20
"""
_BIN = """
SELECT floor(extract(epoch FROM %(last)s - isolated_at) / 86400)::int AS days, reason, count(*)
FROM finance.recycle_bin_at(as_of => %(last)s, known_at => %(last)s)
WHERE state = 'ISOLATED' GROUP BY 1, 2 ORDER BY 1, 2
"""
_REFUSALS = """
SELECT rule, code, count(*), count(DISTINCT account_id) FROM finance.refusals
WHERE refused_at >= %(since)s AND refused_at < %(until)s
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


class Refunded(Struct, frozen=True, kw_only=True):
    """The refunds of a rule in a month, in one currency."""

    currency: str
    month: str
    rule: str
    amount: Decimal
    refunds: int


class CapUse(Struct, frozen=True, kw_only=True):
    """What an account has used of its rolling cap, in US dollars."""

    account_id: str
    used_usd: Decimal
    cap_usd: Decimal


class Binned(Struct, frozen=True, kw_only=True):
    """How many instances have been in the recycle bin for so many whole days."""

    days: int
    reason: str
    instances: int


class Refused(Struct, frozen=True, kw_only=True):
    """How often a rule refused, and how many accounts."""

    rule: str
    code: str
    refusals: int
    accounts: int


class Figures(Struct, frozen=True, kw_only=True):
    """All figures of a report."""

    since: str
    until: str
    refunded: tuple[Refunded, ...]
    caps: tuple[CapUse, ...]
    binned: tuple[Binned, ...]
    refused: tuple[Refused, ...]
    log_position: dict[int, int]

    @property
    def digest(self) -> str:
        """The SHA-256 of every figure and of the position in the log."""
        return sha256(msgspec.json.encode(self)).hexdigest()


def figures(conninfo: str, since: Instant, until: Instant) -> Figures:
    """The figures of a closed period. Raises BadPeriod if it could still get events."""
    period = Period(since=since, until=until)
    values = {
        "since": as_datetime(since),
        "until": as_datetime(until),
        "last": as_datetime(until - 1),
    }
    with psycopg.connect(conninfo) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        see_that_it_is_complete(connection, period)

        def found(statement: str, kind: type[Any]) -> tuple[Any, ...]:
            rows = connection.execute(statement.encode(), values).fetchall()
            return tuple(
                kind(**dict(zip(kind.__struct_fields__, row, strict=True))) for row in rows
            )

        return Figures(
            since=format_instant(since),
            until=format_instant(until),
            refunded=found(_REFUNDS, Refunded),
            caps=found(_CAPS, CapUse),
            binned=found(_BIN, Binned),
            refused=found(_REFUSALS, Refused),
            log_position=position(connection, "events", period),
        )
