"""The C library's memory of a process, as `malloc_info` tells it."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from consumers.allocator import keep_memory_together

PROGRAM = """
import ctypes, sys, threading
from consumers.allocator import keep_memory_together
if sys.argv[1] == "together":
    keep_memory_together()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
threads = [threading.Thread(target=lambda: libc.malloc(10_000)) for _ in range(4)]
for each in threads:
    each.start()
for each in threads:
    each.join()
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="not glibc")
def test_the_threads_of_a_process_take_memory_from_one_place() -> None:
    assert _places("together") == 1
    assert _places("as it is") > 1


def test_a_c_library_without_these_settings_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    keep_memory_together()


def _places(how: str) -> int:
    """The heaps of a process that has malloc called in four threads."""
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True
    )
    return said.stdout.count("<heap nr=")
