"""Has the C library take memory from one place for all threads, and give large pieces back."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE_BYTES = 256 * 1024
_FREE_BYTES = 4 * 1024 * 1024


def keep_memory_together() -> None:
    """Call it before any thread is started.

    By default glibc gives every thread a place of its own, and keeps in it what was used once: the
    network thread of a process kept the room of its largest answers, 75 MB, beside what lives. A C
    library without these settings goes on as it is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_ARENA_MAX, 1)
    mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
    mallopt(_TRIM_THRESHOLD, _FREE_BYTES)
