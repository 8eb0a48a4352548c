"""The deadlines in Postgres: rows put and cancelled by events, beside how far those were read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from consumers.deadlines import CancelDeadline, DeadlineChange, PutDeadline
from ledger.codec import encode_command
from ledger.envelope import ZERO_HASH
from ledger.failpoints import passing
from ledger.instants import Instant
from ledger.log import WrongWorld

CONSUMER = "deadlines"

_POSITIONS = (
    "SELECT partition, topic_id, next_offset FROM consumers.checkpoints WHERE consumer = %s"
)
_SAVE_POSITIONS = """
INSERT INTO consumers.checkpoints
    (consumer, partition, topic_id, next_offset, log_sequence, last_hash)
SELECT %s, place.partition, %s, place.next_offset, -1, %s
FROM unnest(%s::integer[], %s::bigint[]) AS place (partition, next_offset)
ON CONFLICT (consumer, partition) DO UPDATE SET next_offset = excluded.next_offset
"""
_PUT = """
INSERT INTO consumers.deadlines (partition, id, due_at, command_name, command)
SELECT * FROM unnest(%s::integer[], %s::text[], %s::bigint[], %s::text[], %s::bytea[])
ON CONFLICT (partition, id) DO UPDATE SET due_at = excluded.due_at,
    command_name = excluded.command_name, command = excluded.command, state = 'PENDING',
    attempt = 1, sent_at = NULL
"""
_CANCEL = """
UPDATE consumers.deadlines AS deadline SET state = 'CANCELLED'
FROM unnest(%s::integer[], %s::text[]) AS off (partition, id)
WHERE deadline.partition = off.partition AND deadline.id = off.id AND deadline.state <> 'SENT'
"""
_READY = """
SELECT partition, id, due_at, command, attempt FROM consumers.deadlines
WHERE state = %s AND due_at <= %s ORDER BY due_at, id LIMIT %s
"""
_SENT = """
UPDATE consumers.deadlines AS deadline SET state = 'SENT', sent_at = %s
FROM unnest(%s::integer[], %s::text[]) AS sent (partition, id)
WHERE deadline.partition = sent.partition AND deadline.id = sent.id
"""
_AGAIN = """
UPDATE consumers.deadlines AS deadline SET attempt = deadline.attempt + 1
FROM unnest(%s::integer[], %s::text[]) AS early (partition, id)
WHERE deadline.partition = early.partition AND deadline.id = early.id
"""


Position = tuple[int, str, int]
"""A partition, the id of the topic it is of, and the next offset to read."""


class DueDeadline(Struct, frozen=True, kw_only=True):
    """A deadline whose instant has come; `command` is the record value to send."""

    partition: int
    deadline_id: str
    due_at: Instant
    command: bytes
    attempt: int


class DeadlineTable:
    """The deadlines on a connection; satisfies `consumers.deadline_keeper.DeadlineRows`."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def positions(self) -> Iterable[Position]:
        """How far each partition was read."""
        return self._connection.execute(_POSITIONS, (CONSUMER,)).fetchall()

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

    def mark_early(self, early: Sequence[DueDeadline]) -> None:
        """See `mark_early`."""
        mark_early(self._connection, early)


def positions(known: Iterable[Position], topic_id: str, ends: Sequence[int]) -> dict[int, int]:
    """Per partition the next offset to read. WrongWorld if what is known is of another log."""
    found = dict.fromkeys(range(len(ends)), 0)
    for partition, known_id, next_offset in known:
        if known_id != topic_id or partition >= len(ends) or next_offset > ends[partition]:
            raise WrongWorld(
                f"deadlines, partition {partition}: the database has read topic {known_id} up to "
                f"{next_offset}, but the events topic is {topic_id} and ends at {ends}; connect "
                "the database that belongs to this log, or an empty one"
            )
        found[partition] = next_offset
    return found


def keep(
    connection: Connection[Any],
    changes: Iterable[tuple[int, DeadlineChange]],
    moved: Mapping[int, int],
    topic_id: str,
) -> None:
    """Put and cancel (partition, change) in order, and the new positions, in one transaction."""
    last: dict[tuple[int, str], DeadlineChange] = {}
    for partition, change in changes:
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
                ),
            )
        if offs:
            connection.execute(_CANCEL, _columns(offs))
        passing("deadlines.rows")
        places = [CONSUMER, topic_id, ZERO_HASH, list(moved), list(moved.values())]
        connection.execute(_SAVE_POSITIONS, places)
        passing("deadlines.positions")


def due(
    connection: Connection[Any], now: Instant, limit: int, *, released: bool
) -> list[DueDeadline]:
    """The earliest deadlines whose instant has come; in a sandbox, those that were released."""
    state = "RELEASED" if released else "PENDING"
    rows = connection.execute(_READY, (state, now, limit)).fetchall()
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


def mark_early(connection: Connection[Any], early: Sequence[DueDeadline]) -> None:
    """Their commands came into the log before their time: to be sent again under another id."""
    connection.execute(_AGAIN, _columns([(d.partition, d.deadline_id) for d in early]))


def next_due(connection: Connection[Any]) -> Instant | None:
    """The earliest pending deadline."""
    query = "SELECT min(due_at) FROM consumers.deadlines WHERE state = 'PENDING'"
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def release(connection: Connection[Any], due_at: Instant) -> None:
    """Let the keeper send everything due by then (a sandbox's keeper sends nothing by itself)."""
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


def _columns(places: Sequence[tuple[int, str]]) -> tuple[list[int], list[str]]:
    return [partition for partition, _ in places], [deadline_id for _, deadline_id in places]
