"""Writes batches of events: their rows and their end position, in one transaction each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import structlog
from msgspec import Struct, field
from psycopg import Connection

from ledger.log.failpoints import passing
from ledger.log.seam import Batch
from ledger.terms.table import TermsTable, released_terms
from projector.following import checkpoint
from projector.following.checkpoint import Checkpoint
from projector.following.event_reader import EventReader
from projector.following.watermark import ProgressSource
from projector.rows.changes import TableChanges, fold
from projector.rows.writer import READ_MODELS, write
from projector.views import VIEWS, View

CONSUMER = "projector"
SESSION = (
    "SET synchronous_commit = off; SET lock_timeout = '5s'; SET statement_timeout = '60s';"
    " SET idle_in_transaction_session_timeout = '60s'"
)
"""The settings of a connection that writes rows."""
BETWEEN_BATCHES = "hashtextextended('refund-ledger:between batches', 0)"
"""The advisory lock that every batch shares. A process that holds it exclusively sees all tables at
one position of the log, and may replace them.
"""

log = structlog.get_logger()


class Projection(Struct, frozen=True, kw_only=True):
    """What to fill, and how. `consumer` names the checkpoints, `schema` the tables.

    `ready_file` is created when every event that existed at the start is shown. `terms` are those
    of the ledger; without `reach` the watermark is not computed.
    """

    conninfo: str
    consumer: str = CONSUMER
    schema: str = READ_MODELS
    views: tuple[View, ...] = VIEWS
    max_records: int = 5_000
    wait_seconds: float = 0.5
    ready_file: Path | None = None
    terms: TermsTable = field(default_factory=released_terms)
    reach: ProgressSource | None = None


def project(
    connection: Connection[Any],
    projection: Projection,
    topic_id: str,
    places: Mapping[int, Checkpoint],
    batches: Mapping[int, Batch],
) -> dict[int, Checkpoint]:
    """Write one batch to the database; returns the positions after it. See `show`."""
    tables = PostgresTables(connection, projection, topic_id)
    return show(tables, projection.views, places, batches)


class Tables(Protocol):
    """The read models and their checkpoints."""

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction: all of it or nothing."""
        ...

    def write(self, changes: Iterable[TableChanges]) -> int:
        """Apply the changes of a batch; the number of rows touched. Raises ImpossibleChange."""
        ...

    def save(self, moved: Iterable[Checkpoint]) -> None:
        """Store the end position of the batch."""
        ...

    def check(self) -> None:
        """Raises if the database is no longer the same."""
        ...


class PostgresTables:
    """The tables of a projection on a connection; satisfies `Tables`."""

    def __init__(self, connection: Connection[Any], projection: Projection, topic_id: str) -> None:
        self._connection = connection
        self._projection = projection
        self._topic_id = topic_id

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction of the connection."""
        return self._connection.transaction()

    def write(self, changes: Iterable[TableChanges]) -> int:
        """See `projector.rows.writer`; waits while the tables are being swapped."""
        self._connection.execute(f"SELECT pg_advisory_xact_lock_shared({BETWEEN_BATCHES})".encode())
        return write(self._connection, changes, self._projection.schema)

    def save(self, moved: Iterable[Checkpoint]) -> None:
        """See `projector.checkpoint`."""
        checkpoint.save(self._connection, self._projection.consumer, self._topic_id, moved)

    def check(self) -> None:
        """A round trip: a restarted or restored server has closed the connection."""
        self._connection.execute("SELECT")


def show(
    tables: Tables,
    views: Iterable[View],
    places: Mapping[int, Checkpoint],
    batches: Mapping[int, Batch],
) -> dict[int, Checkpoint]:
    """Write one batch: its rows and end position, in one transaction; returns the new positions."""
    passing("projector.read")
    readings = [EventReader(places[partition], batch) for partition, batch in batches.items()]
    events = chain.from_iterable(reading.events() for reading in readings)
    changes = fold(change for event in events for view in views for change in view.changes(event))
    moved = {reading.reached.partition: reading.reached for reading in readings}
    passing("projector.folded")
    with tables.transaction():
        rows = tables.write(changes)
        passing("projector.rows")
        tables.save(moved.values())
        passing("projector.checkpoint")
    passing("projector.committed")
    count = sum(len(batch.records) for batch in batches.values())
    log.debug("batch shown", events=count, rows=rows, partitions=len(moved))
    return {**places, **moved}
