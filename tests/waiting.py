"""Waiting in tests for what another process or a broker has yet to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.05


def wait_until(
    true: Callable[[], bool], what: str, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Ask again and again until it is so; fail by name if it never is."""
    deadline, pause = time.monotonic() + patience_seconds, threading.Event()
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        pause.wait(PAUSE_SECONDS)
