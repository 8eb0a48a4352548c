"""The snapshots in PostgreSQL: one row for each partition, one for each entity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import psycopg
import stamina
import structlog
from msgspec import msgpack
from psycopg import Connection

from consumers.deciding.files import Place, Row
from consumers.deciding.snapshots.seam import (
    Claim,
    Draft,
    Kept,
    SnapshotLost,
    SnapshotsUnavailable,
    Stored,
)

WAIT_SECONDS = 30.0
"""How long a decision waits for entities, before the process ends and starts again."""
_CONNECT_SECONDS = 5
_COPY_SECONDS = 3_600
_READ_AT_ONCE = 5_000
_MERGED_AT_ONCE = 2_000
_SILENCE_MS = 30_000
"""After it the connection to a server that went away without a word is closed."""
_SETTINGS = """
SELECT set_config('synchronous_commit', 'off', false), set_config('statement_timeout', %s, false)
"""
_LOCKED = """
SELECT place, owner, revision FROM consumers.decider_snapshots WHERE partition = %s FOR UPDATE
"""
_CLAIM = """
INSERT INTO consumers.decider_snapshots (partition, owner) VALUES (%s, %s)
ON CONFLICT (partition) DO UPDATE SET owner = excluded.owner
"""
_MOVE = """
UPDATE consumers.decider_snapshots
SET place = %s, log_sequence = %s, revision = %s, written_at = now() WHERE partition = %s
"""
_ACCOUNTS = """
SELECT entity.account_id, entity.kind, entity.entity_id, entity.value
FROM consumers.decider_snapshots AS snapshot
LEFT JOIN LATERAL (
    SELECT of_account.*
    FROM unnest(%s::text[]) AS wanted (account_id)
    CROSS JOIN LATERAL (
        SELECT account_id, kind, entity_id, value FROM consumers.decider_entities AS each
        WHERE each.partition = snapshot.partition AND each.account_id = wanted.account_id
        LIMIT %s
    ) AS of_account
) AS entity ON true
WHERE snapshot.partition = %s AND snapshot.owner = %s
"""
_ENTITY = """
SELECT entity.account_id, entity.kind, entity.entity_id, entity.value
FROM consumers.decider_snapshots AS snapshot
LEFT JOIN consumers.decider_entities AS entity
    ON entity.partition = snapshot.partition AND entity.account_id = %s AND entity.kind = %s
    AND entity.entity_id = %s
WHERE snapshot.partition = %s AND snapshot.owner = %s
"""
_COPY = """
COPY consumers.decider_entities (partition, account_id, kind, entity_id, value)
FROM STDIN (FORMAT binary)
"""
_TYPES = ["int4", "text", "text", "text", "bytea"]
_MERGE = """
INSERT INTO consumers.decider_entities
SELECT %s, changed.* FROM unnest(%b::text[], %b::text[], %b::text[], %b::bytea[]) AS changed
ON CONFLICT (partition, account_id, kind, entity_id) DO UPDATE SET value = excluded.value
"""
_PLACES = "SELECT partition, place FROM consumers.decider_snapshots WHERE place IS NOT NULL"
_IN_ORDER = """
SELECT account_id, kind, entity_id, value FROM consumers.decider_entities
WHERE partition = %s ORDER BY account_id, kind, entity_id
"""

_log = structlog.get_logger(__name__)
T = TypeVar("T")


class PostgresSnapshots:
    """The snapshots of a database; satisfies `consumers.deciding.snapshots.seam.Snapshots`.

    It connects when it is first asked, and again after an error.
    """

    def __init__(
        self, conninfo: str, wait_seconds: float = WAIT_SECONDS, statement_seconds: int = 30
    ) -> None:
        self._conninfo = conninfo
        self._wait_seconds = wait_seconds
        self._statement_seconds = statement_seconds
        self._connection: Connection[Any] | None = None

    @staticmethod
    def for_writing(conninfo: str) -> PostgresSnapshots:
        """For the copy of a large file, which may take its time."""
        return PostgresSnapshots(conninfo, statement_seconds=_COPY_SECONDS)

    def take_over(self, claim: Claim) -> Kept | None:
        """Become the owner; what the earlier one left, or None. Raises SnapshotsUnavailable."""
        with self._transaction() as connection:
            found = connection.execute(_LOCKED, (claim.partition,)).fetchone()
            connection.execute(_CLAIM, (claim.partition, claim.owner))
            return _kept(found)

    def accounts(self, claim: Claim, account_ids: Sequence[str], most: int) -> list[Row]:
        """The entities of these accounts, at most `most` of each. Raises SnapshotLost, and
        SnapshotsUnavailable after it has waited for some time.
        """
        return self._found(claim, _ACCOUNTS, (list(account_ids), most))

    def entity(self, claim: Claim, account_id: str, kind: str, entity_id: str) -> Row | None:
        """One entity. Raises as `accounts` does."""
        found = self._found(claim, _ENTITY, (account_id, kind, entity_id))
        return found[0] if found else None

    @contextmanager
    def writing(self, claim: Claim) -> Iterator[Draft]:
        """Change the snapshot, or leave it as it was if an error is raised inside. Raises
        SnapshotLost if another has taken it over, and SnapshotsUnavailable.
        """
        with self._transaction() as connection:
            found = connection.execute(_LOCKED, (claim.partition,)).fetchone()
            if found is None:  # somebody deleted it
                connection.execute(_CLAIM, (claim.partition, claim.owner))
            elif found[1] != claim.owner:
                raise _lost(claim)
            yield _Draft(connection, claim, _kept(found))

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _found(self, claim: Claim, query: str, wanted: tuple[object, ...]) -> list[Row]:
        """The rows; without one for the snapshot itself, it is no longer ours."""
        for attempt in stamina.retry_context(
            on=SnapshotsUnavailable, attempts=None, timeout=self._wait_seconds
        ):
            with attempt:
                if attempt.num > 1:
                    _log.warning("waiting for the database with the snapshot", attempt=attempt.num)
                with self._transaction() as connection:
                    cursor = connection.execute(
                        query, (*wanted, claim.partition, claim.owner), binary=True
                    )
                    found = cursor.fetchall()
        if not found:
            raise _lost(claim)
        return [row for row in found if row[0] is not None]

    @contextmanager
    def looked_at(self) -> Iterator[Stored]:
        """All snapshots as they are at one moment, for a check. Each is read in pieces."""
        with self._transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            found = connection.execute(_PLACES).fetchall()
            yield {
                partition: (msgpack.decode(place, type=Place), _in_order(connection, partition))
                for partition, place in found
            }

    @contextmanager
    def _transaction(self) -> Iterator[Connection[Any]]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            with self._connection.transaction():
                yield self._connection
        except psycopg.Error as error:
            self.close()
            raise SnapshotsUnavailable(f"the database with the snapshots: {error}") from error

    def _connect(self) -> Connection[Any]:
        connection = psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            tcp_user_timeout=_SILENCE_MS,
        )
        connection.execute(_SETTINGS, (f"{self._statement_seconds}s",))
        return connection


class _Draft:
    """A change within a transaction; satisfies `consumers.deciding.snapshots.seam.Draft`."""

    def __init__(self, connection: Connection[Any], claim: Claim, kept: Kept | None) -> None:
        self._connection = connection
        self._claim = claim
        self._empty = False
        self.kept = kept

    def clear(self) -> None:
        """Remove all entities."""
        self._connection.execute(
            "DELETE FROM consumers.decider_entities WHERE partition = %s", (self._claim.partition,)
        )
        self._empty = True

    def put(self, rows: Iterable[Row]) -> None:
        """Add or replace entities."""
        if self._empty:
            self._copy(rows)
            return
        for some in _batches(rows):
            self._connection.execute(
                _MERGE, (self._claim.partition, *map(list, zip(*some, strict=True)))
            )

    def move(self, kept: Kept) -> None:
        """Say how far the entities are now."""
        place = msgpack.encode(kept.place)
        sequence = kept.place.end.log_sequence
        self._connection.execute(_MOVE, (place, sequence, kept.revision, self._claim.partition))

    def _copy(self, rows: Iterable[Row]) -> None:
        partition = self._claim.partition
        with self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for row in rows:
                copy.write_row((partition, *row))


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while some := list(islice(rest, _MERGED_AT_ONCE)):
        yield some


def _in_order(connection: Connection[Any], partition: int) -> Iterator[Row]:
    with connection.cursor(f"partition_{partition}") as cursor:
        cursor.itersize = _READ_AT_ONCE
        yield from cursor.execute(_IN_ORDER, (partition,))


def _kept(row: tuple[Any, ...] | None) -> Kept | None:
    """None as long as nothing was written."""
    if row is None or row[0] is None:
        return None
    place, owner, revision = row
    return Kept(place=msgpack.decode(place, type=Place), owner=owner, revision=revision)


def _lost(claim: Claim) -> SnapshotLost:
    return SnapshotLost(
        f"the snapshot of partition {claim.partition} was deleted, or another process has taken it "
        "over; this process must start again"
    )
