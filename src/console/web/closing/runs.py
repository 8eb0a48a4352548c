"""The closings in the database: begun, moved on, ended, and read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

from console.web.closing.month import Month

RUNNING, DONE, FAILED, INTERRUPTED = "RUNNING", "DONE", "FAILED", "INTERRUPTED"
"""INTERRUPTED: its process ended before it did."""
_LOCKS = 160016
"""The first key of the advisory locks; the second is the month."""
_READ = """
SELECT c.month, c.run, c.asked_by, c.step, c.share, c.began_at, c.ended_at, c.reason, c.protocol,
       CASE WHEN c.state = 'RUNNING' AND NOT EXISTS (
           SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid::bigint = %(locks)s
               AND l.objid::bigint = extract(year FROM c.month) * 12 + extract(month FROM c.month)
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
       THEN 'INTERRUPTED' ELSE c.state END AS state
FROM web.closings c
"""


class Run(Struct, frozen=True, kw_only=True):
    """One closing of a month, as it stands now; `share` in percent."""

    month: date
    run: int
    asked_by: str
    state: str
    step: str
    share: int
    began_at: datetime
    ended_at: datetime | None
    reason: str | None
    protocol: dict[str, Any] | None


def begin(connection: Connection[Any], month: Month, asked_by: str) -> int | None:
    """The number of a new run, whose lock this connection holds from now on; None if one runs.

    A run that ended with its process holds no lock; from now on its row says so itself.
    """
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_LOCKS, month.lock)).fetchone()
    if row is None or not row[0]:
        return None
    connection.execute(
        "UPDATE web.closings SET state = 'FAILED', ended_at = now(),"
        " reason = 'its process ended before it did' WHERE month = %s AND state = 'RUNNING'",
        (month.first_day,),
    )
    made = connection.execute(
        "INSERT INTO web.closings (month, run, asked_by, state, step)"
        " SELECT %(month)s, coalesce(max(run), 0) + 1, %(by)s, 'RUNNING', 'CHECKPOINT'"
        " FROM web.closings WHERE month = %(month)s RETURNING run",
        {"month": month.first_day, "by": asked_by},
    ).fetchone()
    assert made is not None
    return int(made[0])


def move(connection: Connection[Any], month: Month, run: int, step: str, share: int) -> None:
    """Say how far a run has come."""
    connection.execute(
        "UPDATE web.closings SET step = %s, share = %s WHERE month = %s AND run = %s",
        (step, share, month.first_day, run),
    )


def end(
    connection: Connection[Any],
    month: Month,
    run: int,
    protocol: dict[str, Any] | None,
    reason: str,
) -> None:
    """Keep what came of a run: its protocol, or the reason why there is none."""
    connection.execute(
        "UPDATE web.closings SET state = %s, share = 100, ended_at = now(), reason = %s,"
        " protocol = %s WHERE month = %s AND run = %s",
        (
            FAILED if protocol is None else DONE,
            reason or None,
            None if protocol is None else msgspec.json.encode(protocol).decode(),
            month.first_day,
            run,
        ),
    )


def runs_of(connection: Connection[Any], month: Month) -> list[Run]:
    """All runs of a month, the newest first."""
    return _read(connection, "WHERE c.month = %(month)s ORDER BY c.run DESC", month.first_day)


def newest_runs(connection: Connection[Any]) -> list[Run]:
    """The newest run of each of the latest twenty-four months that were closed."""
    return _read(
        connection,
        "WHERE NOT EXISTS (SELECT FROM web.closings n WHERE n.month = c.month AND n.run > c.run)"
        " ORDER BY c.month DESC LIMIT 24",
        None,
    )


def _read(connection: Connection[Any], which: str, month: date | None) -> list[Run]:
    statement = f"{_READ} {which}".encode()
    with connection.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(statement, {"locks": _LOCKS, "month": month}).fetchall()
