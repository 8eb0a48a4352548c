"""Follows the events topic and keeps the read models equal to it: the projector's process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path
from threading import Event as Flag
from typing import Any

import psycopg
import stamina
import structlog
from msgspec import Struct
from psycopg import Connection

from ledger.log import Batch, EventSource, LogUnavailable
from projector import checkpoint
from projector.chain import Reading
from projector.changes import fold
from projector.checkpoint import Checkpoint
from projector.migrations import migrate
from projector.views import VIEWS
from projector.writer import READ_MODELS, write

CONSUMER = "projector"
_PASSING = (psycopg.OperationalError, LogUnavailable)
"""What a restart of the database or of the broker raises: waited out, again and again."""
_SESSION = (
    "SET synchronous_commit = off; SET lock_timeout = '5s'; SET statement_timeout = '60s';"
    " SET idle_in_transaction_session_timeout = '60s'"
)
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('refund-ledger:' || %s, 0))"

log = structlog.get_logger()


class Projection(Struct, frozen=True, kw_only=True):
    """What to fill, and how. `consumer` names the checkpoints, `schema` the tables.

    `ready_file` is made once every event that was there at the start is shown.
    """

    conninfo: str
    consumer: str = CONSUMER
    schema: str = READ_MODELS
    max_records: int = 5_000
    wait_seconds: float = 0.5
    ready_file: Path | None = None


def run(projection: Projection, open_source: Callable[[], EventSource], stop: Flag) -> None:
    """Project until told to stop, over any number of lost connections.

    What cannot pass by waiting is raised: WrongWorld, WrongDatabase, BrokenLog, ImpossibleChange.
    """
    log.info("projector starts", consumer=projection.consumer, schema=projection.schema)
    for attempt in stamina.retry_context(
        on=_PASSING, attempts=None, timeout=None, wait_initial=0.1, wait_max=2.0
    ):
        with attempt:
            if not stop.is_set():
                _session(projection, open_source, stop)
    log.info("projector stops", consumer=projection.consumer)


def stop_on_signals() -> Flag:
    """A flag that SIGTERM and SIGINT raise; call it from the main thread."""
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def project(
    connection: Connection[Any],
    projection: Projection,
    topic_id: str,
    places: Mapping[int, Checkpoint],
    batches: Mapping[int, Batch],
) -> dict[int, Checkpoint]:
    """Show one batch: its rows and where it ends, in one transaction; the places after it."""
    readings = [Reading(places[partition], batch) for partition, batch in batches.items()]
    events = chain.from_iterable(reading.events() for reading in readings)
    changes = fold(change for event in events for view in VIEWS for change in view.changes(event))
    moved = {reading.reached.partition: reading.reached for reading in readings}
    with connection.transaction():
        rows = write(connection, changes, projection.schema)
        checkpoint.save(connection, projection.consumer, topic_id, moved.values())
    count = sum(len(batch.records) for batch in batches.values())
    log.debug("batch shown", events=count, rows=rows, partitions=len(moved))
    return {**places, **moved}


def _session(projection: Projection, open_source: Callable[[], EventSource], stop: Flag) -> None:
    """One stretch with both connections up.

    1. Bring the tables up to date and open the connection that writes.
    2. Wait to be the only projector: the lock is the connection's, so whoever holds it can write,
       and whoever loses it cannot.
    3. Read where this consumer stands, and see that the database belongs to the log.
    4. Read, show, and go on from there until told to stop.

    A crash anywhere leaves rows and checkpoints of whole batches, since they are one transaction;
    what a crash of the database takes back (commits are not awaited) it takes back together, and
    the next session reads it again.
    """
    # 1
    migrate(projection.conninfo)
    with psycopg.connect(projection.conninfo, autocommit=True) as connection:
        connection.execute(_SESSION)
        # 2
        if not _alone(connection, projection.consumer, stop):
            return
        source = open_source()
        try:
            # 3
            ends = source.ends()
            places = checkpoint.load(connection, projection.consumer, source.topic_id, ends)
            # 4
            _follow_on(connection, projection, source, places, ends, stop)
        finally:
            source.close()


def _alone(connection: Connection[Any], consumer: str, stop: Flag) -> bool:
    """Wait for the lock; False where told to stop first."""
    while not stop.is_set():
        row = connection.execute(_TRY_LOCK, (consumer,)).fetchone()
        if row is not None and row[0]:
            return True
        log.info("another projector is at work; waiting for it to end", consumer=consumer)
        stop.wait(1.0)
    return False


def _follow_on(
    connection: Connection[Any],
    projection: Projection,
    source: EventSource,
    places: dict[int, Checkpoint],
    ends: tuple[int, ...],
    stop: Flag,
) -> None:
    ready = False
    while not stop.is_set():
        if not ready and all(places[p].next_offset >= end for p, end in enumerate(ends)):
            ready = True
            _tell_ready(projection, ends)
        batches = source.read(
            checkpoint.positions(places), projection.max_records, projection.wait_seconds
        )
        if batches:
            places = project(connection, projection, source.topic_id, places, batches)


def _tell_ready(projection: Projection, ends: tuple[int, ...]) -> None:
    log.info("projector has caught up", consumer=projection.consumer, ends=ends)
    if projection.ready_file is not None:
        projection.ready_file.touch()
