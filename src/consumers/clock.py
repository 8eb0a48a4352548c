"""Clocks: real time, and a sandbox's clock. No other module reads a clock."""

from __future__ import annotations

import time
from typing import Any, Protocol

from psycopg import Connection

from ledger.values.instants import Instant


class Clock(Protocol):
    """A source of the present instant."""

    def now(self) -> Instant:
        """The present instant, micros since 1970 in UTC."""
        ...


class WallClock:
    """The machine's clock, used only to wake up; decisions use the broker's append time."""

    def now(self) -> Instant:
        """The present instant."""
        return time.time_ns() // 1_000


class SandboxClock:
    """A sandbox's clock, kept in the database so that every process sees the same instant."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def now(self) -> Instant:
        """The sandbox's instant; 1970 until it is set for the first time."""
        row = self._connection.execute("SELECT now_at FROM consumers.sandbox_clock").fetchone()
        return 0 if row is None else int(row[0])

    def set(self, instant: Instant) -> None:
        """Advance the clock. It never goes back; an earlier instant changes nothing."""
        self._connection.execute(
            "INSERT INTO consumers.sandbox_clock (now_at) VALUES (%s) ON CONFLICT (only_row)"
            " DO UPDATE SET now_at = greatest(sandbox_clock.now_at, excluded.now_at)",
            (instant,),
        )
