"""Failpoints: named moments at which a test lets the process end, pause or fail.

Without the variable REFUNDS_FAILPOINTS, `passing` is an empty function. Otherwise the variable
names a folder, and a file in it arms the failpoint of the same name: with the content `kill 2` the
process is killed the second time it passes. A failpoint acts once: the process that removes the
file acts, and writes its process id to a file `<point>.fired`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

VARIABLE = "REFUNDS_FAILPOINTS"
FIRED = ".fired"
EXIT_STATUS = 71


class FailpointReached(Exception):
    """An error that a test requested."""


class Armed:
    """The failpoints of a process under test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left: dict[str, int] = {}

    def passing(self, point: str) -> None:
        """Act if the failpoint is armed and was passed often enough."""
        armed = self._folder / point
        try:
            action, count = armed.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            self._left.pop(point, None)
            return
        left = self._left.get(point, int(count)) - 1
        self._left[point] = left
        if left <= 0 and self._is_mine(armed):
            _ACTIONS[action](point)

    def _is_mine(self, armed: Path) -> bool:
        claimed = armed.with_name(f".{armed.name}.{os.getpid()}")
        try:
            armed.rename(claimed)
        except FileNotFoundError:
            return False
        claimed.write_text(str(os.getpid()), encoding="utf-8")
        claimed.rename(armed.with_name(armed.name + FIRED))
        return True


def passing_in(environment: Mapping[str, str]) -> Callable[[str], None]:
    """The function `passing` for this environment."""
    folder = environment.get(VARIABLE)
    return Armed(Path(folder)).passing if folder else _inert


def _inert(_point: str) -> None:
    """Do nothing."""


def _raise(point: str) -> None:
    raise FailpointReached(f"failpoint {point}")


_ACTIONS: dict[str, Callable[[str], None]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "stop": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "exit": lambda _: os._exit(EXIT_STATUS),
    "raise": _raise,
}

passing = passing_in(os.environ)
"""Called at a named moment, once per step, never once per record."""
