"""The deadlines in PostgreSQL: rows set and cancelled by events, with the read positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from consumers.deadlines.schedule import (
    CancelDeadline,
    DeadlineChange,
    DestroyKeys,
    PutDeadline,
    SendAgain,
    attempt_id,
)
from consumers.positions import Position, load, save
from ledger.log.failpoints import passing
from ledger.values.instants import Instant
from ledger.wire.avro.codec import encode_command, read_command

CONSUMER = "deadlines"

_PUT = """
INSERT INTO consumers.deadlines (partition, id, due_at, command_name, command, command_id)
SELECT * FROM unnest(%s::integer[], %s::text[], %s::bigint[], %s::text[], %s::bytea[], %s::text[])
ON CONFLICT (partition, id) DO UPDATE SET due_at = excluded.due_at,
    command_name = excluded.command_name, command = excluded.command, state = 'PENDING',
    command_id = excluded.command_id, attempt = 1, sent_at = NULL
"""
_CANCEL = """
UPDATE consumers.deadlines AS deadline SET state = 'CANCELLED'
FROM unnest(%s::integer[], %s::text[]) AS off (partition, id)
WHERE deadline.partition = off.partition AND deadline.id = off.id AND deadline.state <> 'SENT'
"""
_DUE = """
SELECT partition, id, due_at, command, attempt FROM consumers.deadlines
WHERE state = '{state}' AND due_at <= %s ORDER BY due_at, id LIMIT %s
"""
PENDING_DUE, RELEASED_DUE = _DUE.format(state="PENDING"), _DUE.format(state="RELEASED")
"""Each query has its state as a literal: for a prepared query with a parameter the database may
choose a generic plan, which cannot use a partial index.
"""
_SENT = """
UPDATE consumers.deadlines AS deadline SET state = 'SENT', sent_at = %s
FROM unnest(%s::integer[], %s::text[]) AS sent (partition, id)
WHERE deadline.partition = sent.partition AND deadline.id = sent.id
"""
_EARLY = """
SELECT partition, id, command, attempt FROM consumers.deadlines
WHERE command_id = %s AND state <> 'CANCELLED'
"""
_AGAIN = """
UPDATE consumers.deadlines SET state = 'PENDING', attempt = %s, command_id = %s
WHERE partition = %s AND id = %s
"""
_DESTROY = """
UPDATE secrets.account_keys SET wrapped = NULL, destroyed_at = now()
WHERE account_id = %s AND number <= %s AND destroyed_at IS NULL
"""


class DueDeadline(Struct, frozen=True, kw_only=True):
    """A due deadline; `command` is the record value to send."""

    partition: int
    deadline_id: str
    due_at: Instant
    command: bytes
    attempt: int


class DeadlineTable:
    """The deadlines on a connection; satisfies `consumers.deadlines.keeper.DeadlineRows`."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def positions(self) -> Iterable[Position]:
        """How far each partition was read."""
        return load(self._connection, CONSUMER)

    def keep(
        self,
        changes: Iterable[tuple[int, DeadlineChange]],
        moved: Mapping[int, int],
        topic_id: str,
    ) -> None:
        """See `keep`."""
        keep(self._connection, changes, moved, topic_id)

    def due(self, now: Instant, limit: int, *, released: bool) -> list[DueDeadline]:
        """See `due`."""
        return due(self._connection, now, limit, released=released)

    def mark_sent(self, sent: Sequence[DueDeadline], now: Instant) -> None:
        """See `mark_sent`."""
        mark_sent(self._connection, sent, now)


def keep(
    connection: Connection[Any],
    changes: Iterable[tuple[int, DeadlineChange]],
    moved: Mapping[int, int],
    topic_id: str,
) -> None:
    """Set and cancel deadlines in order, destroy the keys of erased texts, and store the new
    positions, in one transaction.

    Deadlines to send again were set before, so they can be handled last: a deadline that was
    replaced since has another command, and a cancelled one stays cancelled.
    """
    last: dict[tuple[int, str], PutDeadline | CancelDeadline] = {}
    again: list[str] = []
    erased: list[DestroyKeys] = []
    for partition, change in changes:
        if isinstance(change, SendAgain):
            again.append(change.command_id)
        elif isinstance(change, DestroyKeys):
            erased.append(change)
        else:
            last[partition, change.deadline_id] = change
    puts = [(place, each) for place, each in last.items() if isinstance(each, PutDeadline)]
    offs = [place for place, each in last.items() if isinstance(each, CancelDeadline)]
    with connection.transaction():
        if puts:
            connection.execute(
                _PUT,
                (
                    [partition for (partition, _), _ in puts],
                    [deadline_id for (_, deadline_id), _ in puts],
                    [put.due_at for _, put in puts],
                    [put.command.name for _, put in puts],
                    [encode_command(put.command) for _, put in puts],
                    [put.command.meta.command_id for _, put in puts],
                ),
            )
        if offs:
            connection.execute(_CANCEL, _columns(offs))
        for command_id in again:
            _send_again(connection, command_id)
        for each in erased:
            connection.execute(_DESTROY, (each.account_id, each.key_number))
        passing("deadlines.rows")
        save(connection, CONSUMER, topic_id, moved)
        passing("deadlines.positions")


def due(
    connection: Connection[Any], now: Instant, limit: int, *, released: bool
) -> list[DueDeadline]:
    """The earliest due deadlines; in a sandbox, those that were released."""
    rows = connection.execute(RELEASED_DUE if released else PENDING_DUE, (now, limit)).fetchall()
    return [
        DueDeadline(
            partition=partition,
            deadline_id=deadline_id,
            due_at=due_at,
            command=bytes(command),
            attempt=attempt,
        )
        for partition, deadline_id, due_at, command, attempt in rows
    ]


def mark_sent(connection: Connection[Any], sent: Sequence[DueDeadline], now: Instant) -> None:
    """Their commands are in the log."""
    connection.execute(_SENT, (now, *_columns([(d.partition, d.deadline_id) for d in sent])))


def next_due(connection: Connection[Any]) -> Instant | None:
    """The earliest pending deadline."""
    query = "SELECT min(due_at) FROM consumers.deadlines WHERE state = 'PENDING'"
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def release(connection: Connection[Any], due_at: Instant) -> None:
    """Let the keeper send everything due by then (in a sandbox it sends only released
    deadlines).
    """
    connection.execute(
        "UPDATE consumers.deadlines SET state = 'RELEASED'"
        " WHERE state = 'PENDING' AND due_at <= %s",
        (due_at,),
    )


def count_released(connection: Connection[Any]) -> int:
    """Deadlines released and not sent yet."""
    query = "SELECT count(*) FROM consumers.deadlines WHERE state = 'RELEASED'"
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _send_again(connection: Connection[Any], command_id: str) -> None:
    for partition, deadline_id, command, attempt in connection.execute(_EARLY, (command_id,)):
        another = attempt_id(read_command(bytes(command)), deadline_id, attempt + 1)
        connection.execute(_AGAIN, (attempt + 1, another, partition, deadline_id))


def _columns(places: Sequence[tuple[int, str]]) -> tuple[list[int], list[str]]:
    return [partition for partition, _ in places], [deadline_id for _, deadline_id in places]
