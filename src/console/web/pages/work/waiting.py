"""What waits for a person, and who has taken it; from the read models and schema `web`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

from ledger.values.instants import format_instant, from_datetime
from projector.asking.queries import Place

REFUND, LETTER = "REFUND", "LETTER"
KINDS = frozenset({REFUND, LETTER})
_TAKEN = """
LEFT JOIN web.work w ON w.kind = 'REFUND' AND w.account_id = r.account_id AND w.id = r.refund_id
"""
_REFUND = "r.account_id, r.refund_id, r.state, r.amount, r.currency, w.taken_by"
# A task about a refund that was held is over when the refund is held no more; any other when a
# person says so.
_TASKS = f"""
SELECT {_REFUND}, e.body ->> 'task_id' AS task_id, e.body ->> 'reason' AS reason,
       e.recorded_at AS since, e.log_sequence::text AS place
FROM finance.events e
JOIN finance.refunds r ON r.account_id = e.account_id AND r.refund_id = e.body ->> 'refund_id'
LEFT JOIN web.tasks_done d
    ON d.account_id = e.account_id AND d.task_id = e.body ->> 'task_id' {_TAKEN}
WHERE e.event_name = 'SupportTaskOpened' AND d.task_id IS NULL AND (r.state = 'HELD'
    OR e.body ->> 'reason' NOT IN ('GATEWAY_FAILED', 'ORIGINAL_CARD_CHANGED'))
    AND (e.recorded_at, e.account_id, e.log_sequence) > (%s::timestamptz, %s, %s::bigint)
ORDER BY e.recorded_at, e.account_id, e.log_sequence LIMIT %s
"""  # noqa: S608  # the parts above
_HELD = f"""
SELECT {_REFUND}, '' AS task_id, r.held_because AS reason, r.issued_at AS since,
       r.refund_id AS place
FROM finance.refunds r {_TAKEN}
WHERE r.state = 'HELD'
    AND (r.issued_at, r.account_id, r.refund_id) > (%s::timestamptz, %s, %s)
ORDER BY r.issued_at, r.account_id, r.refund_id LIMIT %s
"""  # noqa: S608  # as above
_OVERPAID = f"""
SELECT {_REFUND.replace("r.amount", "o.amount")}, '' AS task_id, o.reason, o.recorded_at AS since,
       o.log_sequence::text AS place
FROM finance.overpaid_refunds o
JOIN finance.refunds r ON r.account_id = o.account_id AND r.refund_id = o.refund_id {_TAKEN}
WHERE o.reversed_at IS NULL
    AND (o.recorded_at, o.account_id, o.log_sequence) > (%s::timestamptz, %s, %s::bigint)
ORDER BY o.recorded_at, o.account_id, o.log_sequence LIMIT %s
"""  # noqa: S608  # as above
PARTS = {
    "tasks": (_TASKS, ("-infinity", "", "-1")),
    "held": (_HELD, ("-infinity", "", "")),
    "overpaid": (_OVERPAID, ("-infinity", "", "-1")),
}
"""Part of the work → its statement, and the place before its first row."""
PLACE = 3
_TAKE = """
INSERT INTO web.work AS w (kind, account_id, id, taken_by) VALUES (%s, %s, %s, %s)
ON CONFLICT (kind, account_id, id) DO UPDATE SET taken_by = w.taken_by
RETURNING w.taken_by, w.taken_at
"""
_HOLDER = "SELECT taken_by, taken_at FROM web.work WHERE (kind, account_id, id) = (%s, %s, %s)"
_GIVE_BACK = "DELETE FROM web.work WHERE (kind, account_id, id, taken_by) = (%s, %s, %s, %s)"
_DONE = """
INSERT INTO web.tasks_done (account_id, task_id, done_by) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""
_REFUND_OF_TASK = """
SELECT e.body ->> 'refund_id' FROM finance.events e
WHERE e.event_name = 'SupportTaskOpened' AND e.account_id = %s AND e.body ->> 'task_id' = %s
"""
_IS_THERE = "SELECT FROM finance.refunds WHERE account_id = %s AND refund_id = %s"


class Waiting(Struct, frozen=True, kw_only=True):
    """A refund that waits for a person: why, since when, how it stands, and who has taken it."""

    account_id: str
    refund_id: str
    task_id: str
    reason: str | None
    state: str
    amount: Decimal
    currency: str
    since: datetime
    taken_by: str | None
    place: str

    @property
    def amount_text(self) -> str:
        """As the view has it."""
        return f"{self.amount:f}"

    @property
    def since_text(self) -> str:
        """RFC 3339."""
        return format_instant(from_datetime(self.since))


class Holder(Struct, frozen=True, kw_only=True):
    """Who has something, and since when."""

    name: str
    since: str


def waiting(
    connection: Connection[Any], part: str, limit: int, after: Place | None
) -> tuple[list[Waiting], Place | None]:
    """Of a part of the work the oldest, or those after a place; and the place where they go on.

    The parts: support tasks that are not done; refunds that are held; what the gateway paid though
    it was not owed, and no correction reversed, with its amounts.
    """
    statement, first = PARTS[part]
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        found = cursor.execute(statement.encode(), (*(after or first), limit + 1)).fetchall()
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], (last.since.isoformat(), last.account_id, last.place)


def is_there(connection: Connection[Any], account_id: str, refund_id: str) -> bool:
    """Whether the account has such a refund."""
    return connection.execute(_IS_THERE, (account_id, refund_id)).fetchone() is not None


def take(connection: Connection[Any], kind: str, account_id: str, id_: str, name: str) -> Holder:
    """Take it unless somebody has it; who has it now."""
    row = connection.execute(_TAKE, (kind, account_id, id_, name)).fetchone()
    assert row is not None
    return _holder(row)


def holder(connection: Connection[Any], kind: str, account_id: str, id_: str) -> Holder | None:
    """Who has it."""
    row = connection.execute(_HOLDER, (kind, account_id, id_)).fetchone()
    return None if row is None else _holder(row)


def holders(connection: Connection[Any], kind: str) -> dict[str, Holder]:
    """Id → who has it, of all that belongs to no account."""
    rows = connection.execute(
        "SELECT id, taken_by, taken_at FROM web.work WHERE kind = %s AND account_id = ''", (kind,)
    )
    return {row[0]: _holder(row[1:]) for row in rows}


def give_back(connection: Connection[Any], kind: str, account_id: str, id_: str, name: str) -> None:
    """Whoever has it has it no more, if it is this person."""
    connection.execute(_GIVE_BACK, (kind, account_id, id_, name))


def refund_of_task(connection: Connection[Any], account_id: str, task_id: str) -> str | None:
    """The refund that a task is about; None if there is no such task."""
    row = connection.execute(_REFUND_OF_TASK, (account_id, task_id)).fetchone()
    return None if row is None else str(row[0])


def done(connection: Connection[Any], account_id: str, task_id: str, name: str) -> None:
    """The task, one that there is, is done."""
    connection.execute(_DONE, (account_id, task_id, name))


def _holder(row: tuple[Any, ...]) -> Holder:
    return Holder(name=row[0], since=format_instant(from_datetime(row[1])))
