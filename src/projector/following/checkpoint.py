"""The position of a consumer of the events, stored in the database together with its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from ledger.log.seam import WrongWorld
from ledger.vocabulary.envelope import ZERO_HASH


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The next offset to read of a partition, and the last event before it: its `log_sequence` (−1
    for none yet) and the SHA-256 of its body, which the next event must name.
    """

    partition: int
    next_offset: int = 0
    log_sequence: int = -1
    last_hash: bytes = ZERO_HASH


def load(
    connection: Connection[Any], consumer: str, topic_id: str, ends: Sequence[int]
) -> dict[int, Checkpoint]:
    """The consumer's checkpoint of every partition; the beginning if there is none.

    Raises WrongWorld if the database was filled from another topic, from more partitions, or from
    more of the log than exists.
    """
    rows = connection.execute(
        "SELECT partition, topic_id, next_offset, log_sequence, last_hash"
        " FROM consumers.checkpoints WHERE consumer = %s",
        (consumer,),
    ).fetchall()
    return verified(rows, consumer, topic_id, ends)


def verified(
    rows: Iterable[tuple[int, str, int, int, bytes]],
    consumer: str,
    topic_id: str,
    ends: Sequence[int],
) -> dict[int, Checkpoint]:
    """Rows of (partition, topic id, next offset, log sequence, last hash) as checkpoints, if they
    are of this log; see `load`.
    """
    found = {partition: Checkpoint(partition=partition) for partition in range(len(ends))}
    for partition, known_id, next_offset, log_sequence, last_hash in rows:
        where = f"{consumer}: partition {partition} of the events topic"
        if known_id != topic_id:
            raise WrongWorld(
                f"{where}: the database was filled from topic id {known_id}, but the broker's is "
                f"{topic_id}; connect to the broker it belongs to, or start with an empty database"
            )
        if partition >= len(ends) or next_offset > ends[partition]:
            end = ends[partition] if partition < len(ends) else "missing"
            raise WrongWorld(
                f"{where}: the database has read up to offset {next_offset}, but the log's end is "
                f"{end}; the database is ahead of the log: restore the log, or a database backup "
                "that is not newer than the log"
            )
        found[partition] = Checkpoint(
            partition=partition,
            next_offset=next_offset,
            log_sequence=log_sequence,
            last_hash=bytes(last_hash),
        )
    return found


def save(
    connection: Connection[Any], consumer: str, topic_id: str, moved: Iterable[Checkpoint]
) -> None:
    """Store checkpoints within the caller's transaction."""
    places = list(moved)
    connection.execute(
        "INSERT INTO consumers.checkpoints"
        " (consumer, partition, topic_id, next_offset, log_sequence, last_hash)"
        " SELECT %s, d.partition, %s, d.next_offset, d.log_sequence, d.last_hash"
        " FROM unnest(%s::integer[], %s::bigint[], %s::bigint[], %s::bytea[])"
        " AS d (partition, next_offset, log_sequence, last_hash)"
        " ON CONFLICT (consumer, partition) DO UPDATE SET next_offset = excluded.next_offset,"
        " log_sequence = excluded.log_sequence, last_hash = excluded.last_hash",
        (
            consumer,
            topic_id,
            [place.partition for place in places],
            [place.next_offset for place in places],
            [place.log_sequence for place in places],
            [place.last_hash for place in places],
        ),
    )


def positions(checkpoints: Mapping[int, Checkpoint]) -> dict[int, int]:
    """Partition → the next offset to read."""
    return {partition: place.next_offset for partition, place in checkpoints.items()}
