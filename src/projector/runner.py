"""The projector's process: reads the events topic and updates the read models."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from threading import Event as Flag
from typing import Any

import psycopg
import stamina
import structlog
from psycopg import Connection

from ledger.log.seam import EventSource, LogUnavailable
from projector.following import checkpoint, watermark
from projector.following.checkpoint import Checkpoint
from projector.following.projection import SESSION, PostgresTables, Projection, Tables, show
from projector.following.terms_shown import show_terms
from projector.following.watermark import Watermark
from projector.migrations import migrate
from projector.rebuilding import completeness
from projector.rebuilding.rebuild import RebuildUnderWay, rebuild

_LOOK_SECONDS = 0.5
_PASSING = (psycopg.OperationalError, LogUnavailable, RebuildUnderWay)
"""Errors of a restart of the database or the broker, or of a running rebuild: the projector waits
and tries again.
"""
Look = Callable[[Mapping[int, Checkpoint]], None]
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('refund-ledger:' || %s, 0))"

log = structlog.get_logger()


def run(
    projection: Projection,
    open_source: Callable[[], EventSource],
    stop: Flag,
    turned: Callable[[], None] = lambda: None,
) -> None:
    """Project until stopped, and reconnect after any number of lost connections. `turned` is called
    while it waits: for a connection, or for another projector to end.

    Errors that waiting cannot solve are raised: WrongWorld, WrongDatabase, BrokenLog,
    ImpossibleChange, RebuildStalled.
    """
    log.info("projector starts", consumer=projection.consumer, schema=projection.schema)
    for attempt in stamina.retry_context(
        on=_PASSING, attempts=None, timeout=None, wait_initial=0.1, wait_max=2.0
    ):
        with attempt:
            turned()
            if not stop.is_set():
                _session(projection, open_source, stop, turned)
    log.info("projector stops", consumer=projection.consumer)


def stop_on_signals() -> Flag:
    """A flag that SIGTERM and SIGINT set; call this from the main thread."""
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _session(
    projection: Projection,
    open_source: Callable[[], EventSource],
    stop: Flag,
    turned: Callable[[], None],
) -> None:
    """One session with both connections.

    1. Migrate the tables and open the connection that writes.
    2. Wait until there is no other projector: the lock belongs to the connection, so only the
       process that holds it can write.
    3. Read this consumer's position, check that the database belongs to the log, store the terms.
    4. Fill new views from the first event to that position.
    5. Read and write from there on, until stopped.

    After a crash at any point, rows and checkpoints are those of whole batches, since they are in
    one transaction. A crash of the database may lose the last commits (they are not awaited), but
    rows and checkpoints together; the next session reads those events again.
    """
    # 1
    migrate(projection.conninfo)
    with psycopg.connect(projection.conninfo, autocommit=True) as connection:
        connection.execute(SESSION)
        # 2
        if not _alone(connection, projection.consumer, stop, turned):
            return
        source = open_source()
        try:
            # 3
            ends = source.ends()
            places = checkpoint.load(connection, projection.consumer, source.topic_id, ends)
            if not any(place.next_offset for place in places.values()):
                watermark.forget(connection, projection.consumer)
            show_terms(connection, projection.terms)
            # 4
            _fill_new_views(connection, projection, source, places)
            # 5
            tables = PostgresTables(connection, projection, source.topic_id)
            look = _looking(connection, projection, source)
            follow_on(tables, projection, source, places, ends, stop, look)
        finally:
            source.close()


def _alone(
    connection: Connection[Any], consumer: str, stop: Flag, turned: Callable[[], None]
) -> bool:
    """Wait for the lock; False if stopped first."""
    while not stop.is_set():
        turned()
        row = connection.execute(_TRY_LOCK, (consumer,)).fetchone()
        if row is not None and row[0]:
            return True
        log.info("another projector is running; waiting for it to end", consumer=consumer)
        stop.wait(1.0)
    return False


def _fill_new_views(
    connection: Connection[Any],
    projection: Projection,
    source: EventSource,
    places: dict[int, Checkpoint],
) -> None:
    """A view that was not filled from the first event lacks rows that later events change."""
    new = completeness.unfilled(connection, projection.views)
    if not new:
        return
    if any(place.next_offset for place in places.values()):
        names = [view.TABLE.name for view in new]
        log.info("filling new views from the first event on; readers wait for them", views=names)
        rebuild(projection.conninfo, source, new, max_records=projection.max_records)
        log.info("new views are filled", views=names)
    else:
        with connection.transaction():
            completeness.note(connection, new)


def follow_on(
    tables: Tables,
    projection: Projection,
    source: EventSource,
    places: dict[int, Checkpoint],
    ends: tuple[int, ...],
    stop: Flag,
    look: Look = lambda _: None,
) -> None:
    """Write new events from these positions on, until stopped. Without new events, check that the
    database is still the same: a restored one must get its lost events again.
    """
    ready = False
    while not stop.is_set():
        look(places)
        if not ready and all(places[p].next_offset >= end for p, end in enumerate(ends)):
            ready = True
            _tell_ready(projection, ends)
        batches = source.read(
            checkpoint.positions(places), projection.max_records, projection.wait_seconds
        )
        if batches:
            places = show(tables, projection.views, places, batches)
        else:
            tables.check()


def _looking(connection: Connection[Any], projection: Projection, source: EventSource) -> Look:
    """Updates the watermark from time to time."""
    if projection.reach is None:
        return lambda _: None
    seen, looked_at = Watermark(projection.consumer, projection.reach, source.ends), 0.0

    def look(places: Mapping[int, Checkpoint]) -> None:
        nonlocal looked_at
        if time.monotonic() - looked_at >= _LOOK_SECONDS:
            looked_at = time.monotonic()
            seen.look(connection, places)

    return look


def _tell_ready(projection: Projection, ends: tuple[int, ...]) -> None:
    log.info("projector has caught up", consumer=projection.consumer, ends=ends)
    if projection.ready_file is not None:
        projection.ready_file.touch()
