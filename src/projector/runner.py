"""Follows the events topic and keeps the read models equal to it: the projector's process."""

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
"""What a restart of the database or of the broker raises, or a rebuild that somebody started:
waited out, again and again.
"""
Look = Callable[[Mapping[int, Checkpoint]], None]
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('refund-ledger:' || %s, 0))"

log = structlog.get_logger()


def run(projection: Projection, open_source: Callable[[], EventSource], stop: Flag) -> None:
    """Project until told to stop, over any number of lost connections.

    What cannot pass by waiting is raised: WrongWorld, WrongDatabase, BrokenLog, ImpossibleChange,
    RebuildStalled.
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


def _session(projection: Projection, open_source: Callable[[], EventSource], stop: Flag) -> None:
    """One stretch with both connections up.

    1. Bring the tables up to date and open the connection that writes.
    2. Wait to be the only projector: the lock is the connection's, so whoever holds it can write,
       and whoever loses it cannot.
    3. Read where this consumer stands, see that the database belongs to the log, show the terms.
    4. Fill the views that a newer program has brought, from the first event to that place.
    5. Read, show, and go on from there until told to stop.

    A crash anywhere leaves rows and checkpoints of whole batches, since they are one transaction;
    what a crash of the database takes back (commits are not awaited) it takes back together, and
    the next session reads it again.
    """
    # 1
    migrate(projection.conninfo)
    with psycopg.connect(projection.conninfo, autocommit=True) as connection:
        connection.execute(SESSION)
        # 2
        if not _alone(connection, projection.consumer, stop):
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


def _alone(connection: Connection[Any], consumer: str, stop: Flag) -> bool:
    """Wait for the lock; False where told to stop first."""
    while not stop.is_set():
        row = connection.execute(_TRY_LOCK, (consumer,)).fetchone()
        if row is not None and row[0]:
            return True
        log.info("another projector is at work; waiting for it to end", consumer=consumer)
        stop.wait(1.0)
    return False


def _fill_new_views(
    connection: Connection[Any],
    projection: Projection,
    source: EventSource,
    places: dict[int, Checkpoint],
) -> None:
    """A view that was not there from the first event on lacks the rows that later events change."""
    new = completeness.unfilled(connection, projection.views)
    if not new:
        return
    if any(place.next_offset for place in places.values()):
        names = [view.TABLE.name for view in new]
        log.info("new views are filled from the first event on; readers wait for them", views=names)
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
    """Show what comes from these places on until told to stop. Where nothing comes, see that the
    database is still there: one that was restored must be told again what it has lost.
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
    """Looks now and then how far the past is complete."""
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
