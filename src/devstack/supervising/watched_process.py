"""Keeps one process running: starts it, checks whether it is ready, restarts it when it ends."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from devstack.status import ProcessState, ProcessStatus
from devstack.system.process_identity import (
    Account,
    Identity,
    end,
    identity_of,
    kill_session,
    spawn,
)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
HEALTHY_SECONDS = 30.0
"""After a process has run this long, the next restart has the first, short pause again."""
FIRST_START_TRIES = 3


class Recipe(Struct, frozen=True, kw_only=True):
    """How a process is started, checked and stopped."""

    name: str
    service: bool
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    log: Path
    is_ready: Callable[[], bool]
    before_start: Callable[[], None] = lambda: None
    after_stop: Callable[[], None] = lambda: None
    account: Account | None = None
    port: int | None = None
    stop_signals: tuple[tuple[signal.Signals, float], ...]
    stops_with_others: bool = False
    """Whether it can stop normally only while the other processes of its kind still run."""


class Watched:
    """A process that is kept running. It never waits: each `tick` checks once."""

    def __init__(
        self, recipe: Recipe, longest_pause_seconds: float = LONGEST_PAUSE_SECONDS
    ) -> None:
        self.recipe = recipe
        self._longest_pause_seconds = longest_pause_seconds
        self.state = ProcessState.STOPPED
        self.restarts = 0
        self.last_exit: int | None = None
        self.was_ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._identity: Identity | None = None
        self._started_at = 0.0
        self._resume_at = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    @property
    def given_up(self) -> bool:
        """Whether it ended several times without ever being ready."""
        return not self.was_ready and self.restarts >= FIRST_START_TRIES

    def start(self) -> None:
        """Start the process; the state is STARTING until it is ready."""
        recipe = self.recipe
        recipe.before_start()
        self._process = spawn(recipe.argv, recipe.env, recipe.log, recipe.folder, recipe.account)
        self._identity = identity_of(self._process.pid)
        self._started_at = time.time()
        self.state = ProcessState.STARTING

    def tick(self) -> None:
        """Check whether it has ended, is ready, or is due for a restart."""
        if self.state is ProcessState.BACKING_OFF:
            if time.monotonic() >= self._resume_at:
                self.restarts += 1
                self.start()
        elif self._process is not None and self._process.poll() is not None:
            self._ended(self._process.returncode)
        elif self.state is ProcessState.STARTING and self.recipe.is_ready():
            self.state, self.was_ready = ProcessState.READY, True

    def ask_to_stop(self) -> None:
        """Send its first signal and do not wait; `stop` must follow."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.recipe.stop_signals[0][0])

    def stop(self) -> None:
        """End it permanently, and every process that remains in its session."""
        if self._process is not None:
            end(self._identity, self.recipe.stop_signals)
            kill_session(self._identity)
            self.last_exit = self._process.wait()
            if self.last_exit != -signal.SIGKILL:
                self.recipe.after_stop()
        self.state, self._process, self._identity = ProcessState.STOPPED, None, None

    def status(self) -> ProcessStatus:
        """Its present status."""
        recipe = self.recipe
        return ProcessStatus(
            name=recipe.name,
            service=recipe.service,
            state=self.state,
            log=recipe.log,
            identity=self._identity,
            port=recipe.port,
            started_at=int(self._started_at * 1_000_000) or None,
            restarts=self.restarts,
            last_exit=self.last_exit,
        )

    def _ended(self, returncode: int) -> None:
        lived = time.time() - self._started_at
        kill_session(self._identity)
        self._pause = FIRST_PAUSE_SECONDS if lived > HEALTHY_SECONDS else self._pause
        self._resume_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, self._longest_pause_seconds)
        self.last_exit, self._process, self._identity = returncode, None, None
        self.state = ProcessState.BACKING_OFF
