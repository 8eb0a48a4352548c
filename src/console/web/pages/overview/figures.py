"""The figures of the overview, each with the place of its rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from msgspec import Struct
from psycopg import Connection

from console.web.pages.accounts.recycle_bin import STILL_ISOLATED
from console.web.pages.rendering.links import NOTHING, address
from projector.asking.queries import explained

DAYS, MOST_ROWS, MOST_ACCOUNTS = 14, 200, 10
SHARE = 20
"""What is counted anew takes at most one part in so many of the time."""
# Days are counted in whole numbers, since an instant of each row takes most of the time otherwise.
_DAYS_COUNTED = """
SELECT today - %s, today FROM (SELECT (finance.now() AT TIME ZONE 'UTC')::date AS today) now
"""
_REFUNDS = """
SELECT date '1970-01-01' + (r.issued_at / 86400000000)::integer, coalesce(r.rule, ''), r.currency,
       count(*), (sum(r.amount) * c.unit)::text
FROM read_models.refunds r JOIN finance.currencies c ON c.code = r.currency
WHERE r.issued_at >= finance.micros(%s::timestamp AT TIME ZONE 'UTC')
GROUP BY 1, 2, 3, c.unit ORDER BY 1 DESC, 2, 3 LIMIT %s
"""
_ON_THEIR_WAY = """
SELECT r.state, r.currency, count(*), (sum(r.amount) * c.unit)::text,
       finance.told(finance.instant(min(r.issued_at)))
FROM read_models.refunds r JOIN finance.currencies c ON c.code = r.currency
WHERE r.state IN ('ISSUED', 'SETTLING', 'HELD')
GROUP BY r.state, r.currency, c.unit
ORDER BY array_position(ARRAY['ISSUED', 'SETTLING', 'HELD'], r.state), r.currency
"""
_BIN = f"""
SELECT date '1970-01-01' + (b.restore_until / 86400000000)::integer, b.reason, count(*)
FROM read_models.recycle_bin b
WHERE {STILL_ISOLATED}
GROUP BY 1, 2 ORDER BY 1, 2 LIMIT %s
"""  # noqa: S608  # the words of the recycle bin
_REFUSALS = """
SELECT a.rule, a.command_type, sum(a.refusals)::bigint, count(*), %s::text
FROM (
    SELECT r.rule, r.command_type, r.account_id, count(*) AS refusals
    FROM read_models.refusals r
    WHERE r.recorded_at >= finance.micros(%s::timestamp AT TIME ZONE 'UTC')
    GROUP BY 1, 2, 3) a
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %s
"""
_OF_THE_CAP = """
SELECT t.account_id FROM read_models.annual_refund_totals t
WHERE t.refund_usd IS NOT NULL
    AND t.occurred_at >= finance.micros(finance.now() - interval '1 year')
GROUP BY 1 ORDER BY sum(t.refund_usd) DESC, 1 LIMIT %s
"""
_CAP = """
SELECT account_id, cap_usd::text, coalesce(refund_usd, 0)::text, refund_left_usd::text,
       (100 * coalesce(refund_usd, 0) / cap_usd)::float8,
       finance.told(next_release_at), next_release_usd::text
FROM finance.annual_refund_totals WHERE account_id = %s
"""


class Refunds(Struct, frozen=True, kw_only=True):
    """What one rule refunded on one day, in UTC."""

    day: date
    rule: str
    currency: str
    count: int
    amount: str

    @property
    def rows(self) -> str:
        """The list of these refunds."""
        wanted = {
            "issued_at": self.day.isoformat(),
            "rule": self.rule or NOTHING,
            "currency": self.currency,
        }
        return address("/lists/refunds", wanted)


class OnTheirWay(Struct, frozen=True, kw_only=True):
    """The refunds at one station."""

    state: str
    currency: str
    count: int
    amount: str
    oldest_at: str

    @property
    def rows(self) -> str:
        """The list of these refunds."""
        return address("/lists/refunds", {"state": self.state, "currency": self.currency})


class InTheBin(Struct, frozen=True, kw_only=True):
    """The instances that are destroyed after one day, unless somebody restores them."""

    day: date
    reason: str
    count: int

    @property
    def rows(self) -> str:
        """The list of these stays."""
        wanted = {"restore_until": self.day.isoformat(), "reason": self.reason, "state": "ISOLATED"}
        return address("/lists/recycle-bin", wanted)


class Refusals(Struct, frozen=True, kw_only=True):
    """How often a rule refused a command."""

    rule: str
    command_type: str
    count: int
    accounts: int
    days: str

    @property
    def rows(self) -> str:
        """The list of these refusals."""
        wanted = {
            "rule": self.rule,
            "command_type": self.command_type,
            "refused_at": self.days,
        }
        return address("/lists/refusals", wanted)


class OfTheCap(Struct, frozen=True, kw_only=True):
    """How much of the cap an account has used, on the refund basis."""

    account_id: str
    cap_usd: str
    used_usd: str
    left_usd: str
    percent: float
    next_release_at: str | None
    next_release_usd: str | None

    @property
    def rows(self) -> str:
        """Its totals."""
        return address("/lists/annual-refund-totals", {"account": self.account_id})


class Figures(Struct, frozen=True, kw_only=True):
    """All of them, as of one look at the read models."""

    last_day: date
    refunds: tuple[Refunds, ...]
    on_their_way: tuple[OnTheirWay, ...]
    in_the_bin: tuple[InTheBin, ...]
    refusals: tuple[Refusals, ...]
    of_the_cap: tuple[OfTheCap, ...]


def figures_of(connection: Connection[Any]) -> Figures:
    """Count them, as of one instant. Raises NoReadModels if no projector has run yet."""
    with explained(connection), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        first, last = _days(connection)
        highest = [row[0] for row in connection.execute(_OF_THE_CAP, (MOST_ACCOUNTS,))]
        return Figures(
            last_day=last,
            refunds=_all(connection, Refunds, _REFUNDS, first, MOST_ROWS),
            on_their_way=_all(connection, OnTheirWay, _ON_THEIR_WAY),
            in_the_bin=_all(connection, InTheBin, _BIN, MOST_ROWS),
            refusals=_all(connection, Refusals, _REFUSALS, f"{first}..{last}", first, MOST_ROWS),
            of_the_cap=tuple(
                found for each in highest for found in _all(connection, OfTheCap, _CAP, each)
            ),
        )


def _days(connection: Connection[Any]) -> tuple[date, date]:
    """The first and the last of the days that are counted, in UTC."""
    row = connection.execute(_DAYS_COUNTED, (DAYS - 1,)).fetchone()
    assert row is not None
    return row[0], row[1]


_Figure = TypeVar("_Figure", bound=Struct)


def _all(
    connection: Connection[Any], kind: type[_Figure], statement: str, *values: object
) -> tuple[_Figure, ...]:
    names = kind.__struct_fields__
    rows = connection.execute(statement.encode(), values)
    return tuple(kind(**dict(zip(names, row, strict=True))) for row in rows)


class Counted:
    """The figures of one process: counted again when the read models have moved, but not more than
    a part of the time, however many people look at once.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counting = threading.Lock()
        self._found: tuple[str, float, Figures] | None = None

    def at(self, places: str, count: Callable[[], Figures]) -> Figures:
        """The figures as of some places of the log, or of a little before."""
        with self._counting:
            if self._found is None or not self._holds(*self._found[:2], places):
                began = self._clock()
                figures = count()
                ended = self._clock()
                self._found = places, ended + SHARE * (ended - began), figures
            return self._found[2]

    def _holds(self, counted_at: str, until: float, places: str) -> bool:
        return counted_at == places or self._clock() < until


def days_of(figures: Sequence[Refunds]) -> list[tuple[date, dict[str, int]]]:
    """Day → rule → number of refunds, for a picture; the first day first."""
    found: dict[date, dict[str, int]] = {}
    for each in figures:
        of_day = found.setdefault(each.day, {})
        of_day[each.rule] = of_day.get(each.rule, 0) + each.count
    return sorted(found.items())
