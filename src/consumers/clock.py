"""Clocks: the world's own time, and a sandbox's. Nothing else reads a clock."""

from __future__ import annotations

import time
from typing import Any, Protocol

from psycopg import Connection

from ledger.values.instants import Instant


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Instant:
        """The present instant, micros since 1970 in UTC."""
        ...


class WallClock:
    """The machine's clock: good for waking up; decisions go by the broker's append time."""

    def now(self) -> Instant:
        """The present instant."""
        return time.time_ns() // 1_000


class SandboxClock:
    """The instant a sandbox stands at, kept in the database so that every process sees it."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def now(self) -> Instant:
        """Where the sandbox stands; 1970 until it is set for the first time."""
        row = self._connection.execute("SELECT now_at FROM consumers.sandbox_clock").fetchone()
        return 0 if row is None else int(row[0])

    def set(self, instant: Instant) -> None:
        """Move on. A sandbox's time never goes back; asking for it changes nothing."""
        self._connection.execute(
            "INSERT INTO consumers.sandbox_clock (now_at) VALUES (%s) ON CONFLICT (only_row)"
            " DO UPDATE SET now_at = greatest(sandbox_clock.now_at, excluded.now_at)",
            (instant,),
        )
