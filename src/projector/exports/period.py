"""Which rows of a view belong to an account and a period, and their position in the log."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from psycopg import Connection, sql

from ledger.values.instants import Instant, as_datetime, format_instant, from_datetime
from projector.asking.queries import NoReadModels, unknown_account
from projector.exports.columns import Column, views

LASTING = ("statement", "postings", "journal", "refusals", "events", "outcomes")
"""Views whose rows never change."""
_RECORDED = ("recorded_at", "refused_at", "issued_at", "isolated_at", "requested_at", "opened_at")
_FIRST = ("account_id", "partition", "log_sequence", "line", "position")
_POSITION = """
SELECT r.partition, CASE WHEN %(until)s::bigint IS NULL THEN r.events ELSE coalesce((
    SELECT max(o.log_sequence) + 1 FROM read_models.outcomes o
    WHERE o.partition = r.partition AND o.recorded_at < %(until)s), 0) END
FROM finance.reached r ORDER BY 1
"""


class UnknownView(LookupError):
    """No finance view has that name."""


class BadPeriod(ValueError):
    """The period is invalid or not complete yet, or the view has no periods."""


class Period(Struct, frozen=True, kw_only=True):
    """From an instant (included) to another (not included); None means no limit."""

    since: Instant | None
    until: Instant | None


def selection(
    connection: Connection[Any],
    view: str,
    columns: Sequence[Column],
    account: str | None,
    period: Period,
) -> sql.Composed:
    """The rows as one statement, always in the same order."""
    _see_that_it_is_there(connection, view, account)
    see_that_it_is_complete(connection, period)
    names = [column.name for column in columns]
    conditions: list[sql.Composable] = [sql.SQL("true")]
    if account is not None:
        if "account_id" not in names:
            raise UnknownView(f"view {view} has no accounts; leave --account out")
        conditions.append(sql.SQL("account_id = {}").format(account))
    source, bounds = _source(connection, view, names, period)
    conditions += bounds
    first = [column for name in _FIRST for column in columns if column.name == name]
    order = [*first, *(column for column in columns if column not in first)]
    return sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
        sql.SQL(", ").join(column.wanted for column in columns),
        source,
        sql.SQL(" AND ").join(conditions),
        sql.SQL(", ").join(column.order for column in order),
    )


def position(connection: Connection[Any], view: str, period: Period) -> dict[int, int]:
    """How many events of each partition an extract comes from: those of a closed period if the rows
    of the view do not change or the view can show the past; otherwise all shown events.
    """
    closed = view in LASTING or _has_past(connection, view)
    until = period.until if closed else None
    return dict(connection.execute(_POSITION, {"until": until}).fetchall())


def _source(
    connection: Connection[Any], view: str, names: Sequence[str], period: Period
) -> tuple[sql.Composable, list[sql.Composable]]:
    """The source of the rows, and their limits; a view that can show the past is used as recorded
    at the end of the period.
    """
    past = period.until is not None and view not in LASTING and _has_past(connection, view)
    recorded = next((name for name in _RECORDED if name in names), None)
    if recorded is None and not (past and period.since is None) and period != _OPEN:
        raise BadPeriod(f"view {view} has no periods; leave out --from and --to")
    source: sql.Composable = sql.Identifier("finance", view)
    if past:
        assert period.until is not None
        source = sql.SQL("{function}(as_of => {last}, known_at => {last})").format(
            function=sql.Identifier("finance", f"{view}_at"), last=as_datetime(period.until - 1)
        )
    sides = ((">=", period.since), ("<", None if past else period.until))
    return source, [
        sql.SQL("{} {} {}").format(sql.Identifier(recorded or ""), sql.SQL(sign), as_datetime(edge))
        for sign, edge in sides
        if edge is not None
    ]


_OPEN = Period(since=None, until=None)


def _has_past(connection: Connection[Any], view: str) -> bool:
    row = connection.execute(
        "SELECT FROM pg_proc WHERE pronamespace = 'finance'::regnamespace AND proname = %s"
        " AND 'known_at' = ANY(proargnames)",
        (f"{view}_at",),
    ).fetchone()
    return row is not None


def _see_that_it_is_there(connection: Connection[Any], view: str, account: str | None) -> None:
    known = views(connection)
    if not known:
        raise NoReadModels(
            f"database {connection.info.dbname!r} has no read models yet; start the projector "
            "with 'refundctl up'"
        )
    if view not in known:
        near = difflib.get_close_matches(view, known, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownView(f"there is no view {view!r}{meant} (all: {', '.join(known)})")
    if account is not None:
        query = "SELECT FROM finance.accounts WHERE account_id = %s"
        if connection.execute(query, (account,)).fetchone() is None:
            raise unknown_account(account)


def see_that_it_is_complete(connection: Connection[Any], period: Period) -> None:
    """Raises BadPeriod if the period could still get events."""
    if period.until is None:
        return
    row = connection.execute("SELECT max(reached_until) FROM finance.reached").fetchone()
    reached: datetime | None = row[0] if row else None
    if reached is None or period.until > from_datetime(reached):
        so_far = "no instant yet" if reached is None else format_instant(from_datetime(reached))
        raise BadPeriod(
            f"the period ends at {format_instant(period.until)}, but the read models are complete "
            f"only up to {so_far}; end it earlier, or ask again later"
        )
