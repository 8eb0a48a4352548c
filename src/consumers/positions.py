"""How far a consumer has read the events, stored in the database together with its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from ledger.log.seam import WrongWorld
from ledger.vocabulary.envelope import ZERO_HASH

_LOAD = "SELECT partition, topic_id, next_offset FROM consumers.checkpoints WHERE consumer = %s"
_SAVE = """
INSERT INTO consumers.checkpoints
    (consumer, partition, topic_id, next_offset, log_sequence, last_hash)
SELECT %s, place.partition, %s, place.next_offset, -1, %s
FROM unnest(%s::integer[], %s::bigint[]) AS place (partition, next_offset)
ON CONFLICT (consumer, partition) DO UPDATE SET next_offset = excluded.next_offset
"""

Position = tuple[int, str, int]
"""A partition, its topic id, and the next offset to read."""


def load(connection: Connection[Any], consumer: str) -> Iterable[Position]:
    """What is stored of a consumer."""
    return connection.execute(_LOAD, (consumer,)).fetchall()


def save(
    connection: Connection[Any], consumer: str, topic_id: str, moved: Mapping[int, int]
) -> None:
    """Store new positions within the caller's transaction."""
    places = [consumer, topic_id, ZERO_HASH, list(moved), list(moved.values())]
    connection.execute(_SAVE, places)


def positions(
    consumer: str, known: Iterable[Position], topic_id: str, ends: Sequence[int]
) -> dict[int, int]:
    """The next offset to read, by partition. WrongWorld if the stored position is of another
    log.
    """
    found = dict.fromkeys(range(len(ends)), 0)
    for partition, known_id, next_offset in known:
        if known_id != topic_id or partition >= len(ends) or next_offset > ends[partition]:
            raise WrongWorld(
                f"{consumer}, partition {partition}: the database has read topic {known_id} up to "
                f"{next_offset}, but the events topic is {topic_id} and ends at {ends}; connect "
                "the database that belongs to this log, or an empty one"
            )
        found[partition] = next_offset
    return found
