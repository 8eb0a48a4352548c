"""Reads from time to time what only brokers and database know: lag, deadlines, snapshots."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from threading import Event as Flag
from typing import Any

import structlog
from psycopg import Connection, Error

from console.monitoring.meters import DeadlineMeters, Meters
from console.monitoring.seen_ends import SeenEnds
from console.running.lag import Lag
from consumers.clock import Clock
from ledger.log.seam import LogUnavailable
from ledger.values.instants import SECOND

LOOK_SECONDS = 10.0
_DEADLINES = """
SELECT count(*), count(*) FILTER (WHERE due_at <= %(now)s), min(due_at)
FROM consumers.deadlines WHERE state = 'PENDING'
"""
_SNAPSHOTS = """
SELECT partition, log_sequence, extract(epoch FROM written_at)
FROM consumers.decider_snapshots WHERE place IS NOT NULL
"""
_SHOWN = "SELECT partition, log_sequence FROM consumers.checkpoints WHERE consumer = 'projector'"

Look = Callable[[], None]
OpenLooks = Callable[[ExitStack], Sequence[Look]]
"""Opens the connections of the looks, which the stack closes."""

log = structlog.get_logger()


class LagLook:
    """Sets the lag of consumers; `read` asks for their positions."""

    def __init__(
        self,
        meters: Meters,
        read: Callable[[], Iterable[Lag]],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._meters = meters
        self._read = read
        self._seconds = seconds
        self._seen: dict[tuple[str, int], SeenEnds] = {}

    def __call__(self) -> None:
        """One look. Raises LogUnavailable or an error of the database."""
        for found in self._read():
            each = zip(found.positions, found.ends, found.by_partition, strict=True)
            for partition, (position, end, behind) in enumerate(each):
                seen = self._seen.setdefault((found.consumer, partition), SeenEnds())
                late = seen.seconds_behind(position or 0, end, self._seconds())
                labels = (found.consumer, str(partition))
                self._meters.lag_records.labels(*labels).set(behind)
                self._meters.lag_seconds.labels(*labels).set(late)


def look_at_deadlines(meters: DeadlineMeters, connection: Connection[Any], clock: Clock) -> None:
    """One look at the deadlines that are not sent; in a sandbox by its own clock."""
    now = clock.now()
    row = connection.execute(_DEADLINES, {"now": now}).fetchone()
    assert row is not None
    pending, overdue, earliest = row
    meters.pending.set(pending)
    meters.overdue.set(overdue)
    meters.overdue_seconds.set((now - earliest) / SECOND if overdue else 0)


def look_at_snapshots(meters: Meters, connection: Connection[Any]) -> None:
    """One look at the deciders' snapshots; those that are not written yet are absent."""
    for partition, log_sequence, written_at in connection.execute(_SNAPSHOTS):
        meters.snapshot_sequence.labels(str(partition)).set(log_sequence)
        meters.snapshot_written_at.labels(str(partition)).set(float(written_at))


def look_at_what_is_shown(meters: Meters, connection: Connection[Any]) -> None:
    """One look at the last event that is shown."""
    for partition, log_sequence in connection.execute(_SHOWN):
        meters.shown_sequence.labels(str(partition)).set(log_sequence)


def go_on_looking(meters: Meters, open_looks: OpenLooks, stop: Flag) -> None:
    """Look until stopped. After an error the connections are opened again."""
    while not stop.is_set():
        with ExitStack() as opened:
            try:
                looks = open_looks(opened)
                while not stop.is_set():
                    for look in looks:
                        look()
                    meters.looked_at.set_to_current_time()
                    stop.wait(LOOK_SECONDS)
            except (LogUnavailable, Error) as error:
                meters.looks_failed.inc()
                log.warning("a look at the ledger failed", reason=str(error).strip())
        stop.wait(LOOK_SECONDS)
