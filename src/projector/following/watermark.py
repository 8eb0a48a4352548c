"""Computes the watermark, up to which the read models are complete, and stores it.

A query about the past has a final answer only if every event recorded by that instant is shown and
no more can come. An idle partition does not show this: its last event is old, and the next one may
have an old instant too, because a command may wait while the decider is down. So the positions of
the commands topic are used too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct
from psycopg import Connection

from ledger.values.instants import Instant
from projector.following.checkpoint import Checkpoint

_SAVE = """
INSERT INTO consumers.horizons (consumer, reached_at) VALUES (%s, %s)
ON CONFLICT (consumer) DO UPDATE
SET reached_at = greatest(horizons.reached_at, excluded.reached_at)
"""


class ProgressSource(Protocol):
    """The progress of the commands and of the decider."""

    def now(self) -> Instant:
        """No future command will be decided before this instant; in a sandbox it is the sandbox's
        clock.
        """
        ...

    def given(self) -> Sequence[int]:
        """The end offset of the commands topic, by partition."""
        ...

    def decided(self) -> Sequence[int | None]:
        """The offset of the first undecided command, by partition; None if unknown."""
        ...


class _Sighting(Struct, frozen=True, kw_only=True):
    instant: Instant
    offsets: Sequence[int]


class Watermark:
    """Computes the watermark in three steps, each possible only after the one before.

    1. Take the present, then the end of the commands: later commands are decided at the present or
    after it. 2. When the decider is past that end, take the end of the events: everything decided
    before the present is before it. 3. When the projector is past that end, everything recorded
    before the present is shown. After a crash the steps begin again at 1.
    """

    def __init__(
        self, consumer: str, reach: ProgressSource, ends: Callable[[], Sequence[int]]
    ) -> None:
        self._consumer = consumer
        self._reach = reach
        self._ends = ends
        self._commands: _Sighting | None = None
        self._events: _Sighting | None = None

    def look(self, connection: Connection[Any], places: Mapping[int, Checkpoint]) -> None:
        """Do as many steps as are possible now, without waiting."""
        if self._events is None:
            self._events = self._decided(connection)
        if self._events is None:
            return
        if all(places[p].next_offset >= end for p, end in enumerate(self._events.offsets)):
            connection.execute(_SAVE, (self._consumer, self._events.instant))
            self._events = None

    def _decided(self, connection: Connection[Any]) -> _Sighting | None:
        if self._commands is None:
            present = self._present(
                connection
            )  # first: commands given in between are decided later
            self._commands = _Sighting(instant=present, offsets=self._reach.given())
        for decided, end in zip(self._reach.decided(), self._commands.offsets, strict=True):
            if end and (decided is None or decided < end):
                return None
        found = _Sighting(instant=self._commands.instant, offsets=self._ends())
        self._commands = None
        return found

    def _present(self, connection: Connection[Any]) -> Instant:
        row = connection.execute("SELECT now_at FROM consumers.sandbox_clock").fetchone()
        return self._reach.now() if row is None else int(row[0])


def forget(connection: Connection[Any], consumer: str) -> None:
    """Delete the watermark: the read models begin again with no rows."""
    connection.execute("DELETE FROM consumers.horizons WHERE consumer = %s", (consumer,))
