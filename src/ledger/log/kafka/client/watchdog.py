"""Ends the process when a call without its own timeout does not return.

The client's commit, abort, send-offsets and close can wait for ever. A process that waits in one of
them keeps its partitions without progress. Ending it is safe, because it is crash-only, and lets
the next owner fence it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_STATUS = 70
_TICK_SECONDS = 0.25


def end_process(what: str) -> None:
    """Report the call, and end without clean-up, because a clean-up could hang too."""
    sys.stderr.write(f"watchdog: {what} did not return; ending the process\n")
    sys.stderr.flush()
    os._exit(EXIT_STATUS)


class Watchdog:
    """Guards one call at a time of one thread; `action` gets the name of a call that hangs."""

    def __init__(self, limit_seconds: float, action: Callable[[str], None] = end_process) -> None:
        self._limit_seconds = limit_seconds
        self._action = action
        self._guarded: tuple[float, str] | None = None
        self._stop = threading.Event()
        thread = threading.Thread(target=self._watch, name="kafka-log-watchdog", daemon=True)
        thread.start()

    @contextmanager
    def guard(self, what: str) -> Iterator[None]:
        """Call the action if the block takes longer than the limit."""
        self._guarded = (time.monotonic() + self._limit_seconds, what)
        try:
            yield
        finally:
            self._guarded = None

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(min(_TICK_SECONDS, self._limit_seconds)):
            guarded = self._guarded
            if guarded is not None and time.monotonic() >= guarded[0]:
                self._guarded = None
                self._action(guarded[1])
