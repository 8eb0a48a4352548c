"""Finds out up to which instant the read models are complete for ever, and writes it down.

A question about the past has a lasting answer only if no event recorded by that instant is missing
and none can come any more. An idle partition shows no sign of its own: its last event is old, and
the next might be any age, for a command may wait while the decider is down. So the commands are
looked at too.
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
    """How far the ledger has come, told by those who give and decide commands."""

    def now(self) -> Instant:
        """No command that is still to be given will be decided before this instant; a sandbox's
        own clock stands in for it.
        """
        ...

    def given(self) -> Sequence[int]:
        """Per partition of the commands topic the offset after its last record."""
        ...

    def decided(self) -> Sequence[int | None]:
        """Per partition the offset of the first command that is not decided; None: unknown."""
        ...


class _Sighting(Struct, frozen=True, kw_only=True):
    instant: Instant
    offsets: Sequence[int]


class Watermark:
    """One look after another, each a step further if the ledger has come so far.

    1. The present, and then where the commands end: all that come later are decided at the present
    or after it. 2. Once the decider is past that end, where the events end: whatever was decided
    before the present lies before it. 3. Once the projector is past that end, everything recorded
    before the present is shown. A crash between any two only begins again at 1.
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
        """Go as many steps as can be gone now; nothing is waited for."""
        if self._events is None:
            self._events = self._decided(connection)
        if self._events is None:
            return
        if all(places[p].next_offset >= end for p, end in enumerate(self._events.offsets)):
            connection.execute(_SAVE, (self._consumer, self._events.instant))
            self._events = None

    def _decided(self, connection: Connection[Any]) -> _Sighting | None:
        if self._commands is None:
            present = self._present(connection)  # first: what is given between is decided later
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
    """What was reached is not reached any more: the read models begin from nothing."""
    connection.execute("DELETE FROM consumers.horizons WHERE consumer = %s", (consumer,))
