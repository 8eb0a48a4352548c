"""Which process makes its next step: one at a time, drawn from the seed, each until it must wait.

A process is a greenlet that runs the real handlers. Whatever it asks of the log, the database or
the disk comes through `pause`, which hands over to the scheduler: there another process may go on,
there it can be killed, and there it can sleep past its session and come back as a zombie.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from greenlet import getcurrent, greenlet

from tests.simulation.faults import Faults

REST_TICKS = 30
"""The longest that a process with nothing to do sleeps."""


class Killed(BaseException):
    """Raised where a process stands when it is killed; its clean-up can reach nothing any more."""


class Violation(Exception):
    """Something happened that never may; the message says what."""


class Process:
    """One life of a process. `slot` is what its supervisor calls it and outlives it."""

    def __init__(self, slot: str, main: Callable[[Process], None]) -> None:
        self.slot = slot
        self.dead = False
        self.wake_at = 0
        self.last_ran = 0
        self.finished = False
        self.failure: Exception | None = None
        self._main = main
        self.thread = greenlet(self._run)

    def _run(self) -> None:
        try:
            self._main(self)
            self.finished = True
        except Exception as error:  # whatever it was, the supervisor is told
            self.failure = error
        except Killed:
            pass
        self.dead = True


class Scheduler:
    """Ticks, processes, and the trace of what they did."""

    def __init__(self, chance: Random, faults: Faults) -> None:
        self.tick = 0
        self.steps = 0
        self.crashes = 0
        self.restarts = 0
        self.trace: Callable[[str], None] | None = None
        self.running: dict[str, Process] = {}
        self._chance = chance
        self._faults = faults
        self._mains: dict[str, Callable[[Process], None]] = {}
        self._due: dict[str, int] = {}
        self._hub = getcurrent()
        self._current: Process | None = None

    def add(self, slot: str, main: Callable[[Process], None]) -> None:
        """A process that its supervisor starts, and starts again whenever it ends by mishap."""
        self._mains[slot] = main
        self._due[slot] = 0

    def pause(self, what: str, *details: object, rest: bool = False) -> None:
        """The running process waits for an answer, or with `rest` for something to do. The details
        are for the trace alone, and made into text only there.
        """
        process = self._current
        if process is None:  # asked from outside of every process: nothing to wait for
            return
        if process.dead:
            raise Killed
        if self.trace is not None:
            self.note(" ".join([what, *map(str, details)]))
        if rest or self._faults.strikes("slow answer"):
            process.wake_at = self.tick + self._chance.randint(1, REST_TICKS)
        self._hub.switch()
        if process.dead:
            raise Killed

    @property
    def slots(self) -> set[str]:
        """Everyone who is running or waits to be started."""
        return self.running.keys() | self._due.keys()

    def note(self, text: str) -> None:
        """A line of the trace."""
        if self.trace is not None:
            who = "world" if self._current is None else self._current.slot
            self.trace(f"{self.tick:6}  {who:<12} {text}")

    def run_one(self) -> None:
        """One tick: start what is due, then let one process make a step."""
        self.tick += 1
        if self._due:
            self._start_due()
        ready = [each for each in self.running.values() if each.wake_at <= self.tick]
        if not ready:
            return
        process = ready[int(self._chance.random() * len(ready))]
        if self._faults.strikes("crash"):
            self.kill(process.slot)
            return
        if self._faults.strikes("pause"):
            process.wake_at = self.tick + self._chance.randint(5, 400)
            self.note(f"{process.slot} sleeps until tick {process.wake_at}")
            return
        self._step(process)

    def kill(self, slot: str) -> None:
        """End a process where it stands, as kill -9 does."""
        process = self.running.pop(slot, None)
        if process is None:
            return
        self.crashes += 1
        self.note(f"{slot} is killed")
        self._end(process)
        self._due[slot] = self.tick + self._chance.randint(1, 80)

    def restart_all(self) -> None:
        """Every process ends and is started again at once."""
        for slot in list(self.running):
            self.kill(slot)
        self._due = dict.fromkeys(self._due, self.tick)

    def stop_all(self) -> None:
        """End every process; none is started again."""
        for process in list(self.running.values()):
            self._end(process)
        self.running.clear()
        self._due.clear()
        self._mains.clear()

    def wake_all(self) -> None:
        """Nobody sleeps, and nobody waits to be started."""
        for process in self.running.values():
            process.wake_at = min(process.wake_at, self.tick + REST_TICKS)
        self._due = dict.fromkeys(self._due, self.tick)

    def _start_due(self) -> None:
        for slot in [slot for slot, at in self._due.items() if at <= self.tick]:
            del self._due[slot]
            self.restarts += 1
            self.running[slot] = Process(slot, self._mains[slot])
            self.running[slot].last_ran = self.tick

    def _step(self, process: Process) -> None:
        self.steps += 1
        process.last_ran = self.tick
        self._switch_to(process)
        if not process.dead:
            return
        del self.running[process.slot]
        if process.finished:
            return
        failure = process.failure
        self.note(f"{process.slot} ends: {type(failure).__name__}: {failure}")
        if isinstance(failure, Violation) or not _is_expected(failure):
            raise Violation(f"{process.slot}: {type(failure).__name__}: {failure}") from failure
        self._due[process.slot] = self.tick + self._chance.randint(1, 80)

    def _switch_to(self, process: Process) -> None:
        self._current = process
        try:
            process.thread.switch()
        finally:
            self._current = None

    def _end(self, process: Process) -> None:
        process.dead = True
        self._current = process
        try:
            if process.thread:
                process.thread.throw(Killed)
        finally:
            self._current = None


def _is_expected(failure: Exception | None) -> bool:
    """Is this one of the ways in which a sound process may end?"""
    from psycopg import OperationalError

    from consumers.deciding.decider import CommitLost
    from consumers.deciding.snapshots.seam import SnapshotLost
    from ledger.log.seam import LogUnavailable, MemberReplaced

    mishaps = CommitLost | LogUnavailable | MemberReplaced | OperationalError | SnapshotLost
    return isinstance(failure, mishaps)
