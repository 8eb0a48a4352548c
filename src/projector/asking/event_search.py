"""Searches the events by what they name: account, kind, command, story or refund."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

from ledger.values.instants import Instant
from projector.asking.queries import explained

_COLUMNS = """
       o.partition, o.log_sequence, o.account_id, o.sequence, o.event_name, o.event_id,
       o.recorded_at, o.occurred_at, o.command_id, o.correlation_id, o.actor_id, o.actor_role
"""
_LATEST = f"""
SELECT o.* FROM (SELECT DISTINCT partition FROM consumers.checkpoints) p
CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM read_models.outcomes o
    WHERE o.partition = p.partition ORDER BY o.log_sequence DESC LIMIT %(limit)s) o
ORDER BY o.recorded_at DESC, o.partition DESC, o.log_sequence DESC LIMIT %(limit)s
"""  # noqa: S608  # the columns above
_CONDITIONS = {
    "account": "o.account_id = %(account)s",
    "event": "o.event_name = %(event)s",
    "command": "o.command_id = %(command)s",
    # The command that began a story is in the index of commands, the others in that of stories.
    "correlation": "(o.command_id = %(correlation)s AND o.correlation_id = o.command_id"
    " OR o.correlation_id = %(correlation)s AND o.correlation_id <> o.command_id)",
    "refund": "o.account_id IN (SELECT r.account_id FROM read_models.refunds r"
    " WHERE r.refund_id = %(refund)s) AND (o.body ->> 'refund_id' = %(refund)s OR (o.account_id,"
    " o.command_id) IN (SELECT r.account_id, r.command_id FROM read_models.refunds r"
    " WHERE r.refund_id = %(refund)s))",
}
_AFTER = (
    "(o.recorded_at, o.partition, o.log_sequence)"
    " < (%(recorded_at)s, %(partition)s, %(log_sequence)s)"
)
_ONE = f"""
SELECT {_COLUMNS} FROM read_models.outcomes o
WHERE o.partition = %s AND o.log_sequence = %s
"""  # noqa: S608  # as above
_SHOWN = """
SELECT next_offset, log_sequence, last_hash FROM consumers.checkpoints
WHERE consumer = 'projector' AND partition = %s
"""


class Sought(Struct, frozen=True, kw_only=True):
    """What the events must name; all that is given must hold. None: anything."""

    account: str | None = None
    event: str | None = None
    command: str | None = None
    correlation: str | None = None
    refund: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """What is given, by name."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not None}


class EventPlace(Struct, frozen=True, kw_only=True):
    """An event in the order of a search, the newest first."""

    recorded_at: Instant
    partition: int
    log_sequence: int


class FoundEvent(Struct, frozen=True, kw_only=True):
    """An event as the read models have it, without its body."""

    partition: int
    log_sequence: int
    account_id: str
    sequence: int
    event_name: str
    event_id: str
    recorded_at: Instant
    occurred_at: Instant
    command_id: str
    correlation_id: str
    actor_id: str
    actor_role: str

    @property
    def place(self) -> EventPlace:
        """Where it stands in the order of a search."""
        return EventPlace(
            recorded_at=self.recorded_at, partition=self.partition, log_sequence=self.log_sequence
        )


class Reached(Struct, frozen=True, kw_only=True):
    """How far the read models have come in a partition, and the hash of the last event shown."""

    next_offset: int
    log_sequence: int
    last_hash: bytes


def search(
    connection: Connection[Any], sought: Sought, limit: int, after: EventPlace | None = None
) -> list[FoundEvent]:
    """The newest events that name all that is sought, by indexes alone; those after a place of the
    same search. Without anything sought, the newest of all.
    """
    statement, values = prepared(sought, limit, after)
    with explained(connection), connection.cursor(row_factory=class_row(FoundEvent)) as cursor:
        return cursor.execute(statement, values).fetchall()


def prepared(
    sought: Sought, limit: int, after: EventPlace | None = None
) -> tuple[bytes, dict[str, Any]]:
    """The statement of a search, and its values."""
    values: dict[str, Any] = {"limit": limit, **sought.given}
    if not sought.given:
        return _LATEST.encode(), values
    kept = [_CONDITIONS[name] for name in sought.given]
    if after is not None:
        kept.append(_AFTER)
        values |= {name: getattr(after, name) for name in after.__struct_fields__}
    # The conditions are our own; what a person says is a parameter.
    statement = (
        f"SELECT {_COLUMNS} FROM read_models.outcomes o WHERE {' AND '.join(kept)}"  # noqa: S608
        " ORDER BY o.recorded_at DESC, o.partition DESC, o.log_sequence DESC LIMIT %(limit)s"
    )
    return statement.encode(), values


def numbered(connection: Connection[Any], partition: int, log_sequence: int) -> FoundEvent | None:
    """The event of a number in its partition; None if the read models do not have it."""
    with explained(connection), connection.cursor(row_factory=class_row(FoundEvent)) as cursor:
        return cursor.execute(_ONE.encode(), (partition, log_sequence)).fetchone()


def reached(connection: Connection[Any], partition: int) -> Reached | None:
    """How far the projector has come in a partition; None if it never was there."""
    with connection.cursor(row_factory=class_row(Reached)) as cursor:
        return cursor.execute(_SHOWN, (partition,)).fetchone()
