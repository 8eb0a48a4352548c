"""The faults: what is done to a running stack, how it is seen to have struck, how it is healed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from ledger.log.failpoints import FIRED
from tests.torture.arena import DECIDERS, Arena, NeverCame, wait_until
from tests.torture.mounts import Disk
from tests.torture.proxy import Fault as NetworkFault

REACH_SECONDS = 40.0
"""So long a fault may wait for its moment; a cell whose fault never struck has shown nothing."""


class Struck(Struct, frozen=True, kw_only=True):
    """When a fault set in (micros since 1970), and what was seen of it."""

    at: int
    seen: str


class Client(Protocol):
    """Who publishes the commands, meanwhile."""

    def release(self) -> None:
        """Send what was held back: the last third of the commands."""
        ...

    def finish(self) -> None:
        """Wait until everything is sent and acked."""
        ...


class Fault(Protocol):
    """Something that goes wrong."""

    def strike(self, arena: Arena, chance: random.Random, client: Client) -> Struck:
        """Set it off, see that it struck, have the rest published into it, and heal it."""
        ...


class AtPoint(Struct, frozen=True, kw_only=True):
    """A process ends, fails or stops as it passes a failpoint.

    `restore`: the point is passed at a start only, so the process is killed first. A process that
    stops goes on after `hold_seconds`; a decider, once the other one has taken over.
    """

    process: str
    point: str
    action: str
    restore: bool = False
    hold_seconds: float = 8.0

    def strike(self, arena: Arena, chance: random.Random, client: Client) -> Struck:
        """Arm the point, wait until somebody has passed it, heal."""
        folder, count = arena.failpoints(self.process), 1 if self.restore else chance.randint(1, 2)
        armed, fired = folder / self.point, folder / (self.point + FIRED)
        fired.unlink(missing_ok=True)
        armed.write_text(f"{self.action} {count}", encoding="utf-8")
        try:
            if self.restore:
                arena.send(self.process, signal.SIGKILL)
            else:
                client.release()
            wait_until(fired.exists, f"{self.point} to be passed", REACH_SECONDS)
        finally:
            armed.unlink(missing_ok=True)
        struck = Struck(at=_changed(fired), seen=f"{self.action} at {self.point}, passing {count}")
        pid = int(fired.read_text())
        if self.action == "stop":
            with _going_on(pid):
                client.release()
                _hold(arena, client, self.process, self.hold_seconds)
        client.release()
        return struck


class Kill(Struct, frozen=True, kw_only=True):
    """`kill -9`, whatever it is doing."""

    process: str

    def strike(self, arena: Arena, chance: random.Random, client: Client) -> Struck:
        """Kill it; its supervisor starts it again."""
        client.release()
        time.sleep(chance.random())
        at, restarts = _now(), arena.restarts(self.process)
        arena.send(self.process, signal.SIGKILL)
        wait_until(
            lambda: arena.restarts(self.process) > restarts, f"{self.process} to be started again"
        )
        return Struck(at=at, seen="killed with -9")


class MachineLost(Struct, frozen=True, kw_only=True):
    """`kill -9`, and nothing is left of its files: what is started again is another machine."""

    process: str

    def strike(self, arena: Arena, chance: random.Random, client: Client) -> Struck:
        """Kill it and delete its stores; its supervisor starts it again."""
        client.release()
        time.sleep(chance.random())
        at, restarts = _now(), arena.restarts(self.process)
        arena.send(self.process, signal.SIGKILL)
        shutil.rmtree(arena.home / "stores" / self.process / "state", ignore_errors=True)
        wait_until(
            lambda: arena.restarts(self.process) > restarts, f"{self.process} to be started again"
        )
        return Struck(at=at, seen="killed with -9, its stores deleted")


class Pause(Struct, frozen=True, kw_only=True):
    """Stopped, and continued later: a process that does not know that time went by."""

    process: str
    seconds: float

    def strike(self, arena: Arena, chance: random.Random, client: Client) -> Struck:
        """Stop it; a decider, until the other one has taken over."""
        time.sleep(chance.random() / 2)
        at = _now()
        with _going_on(arena.send(self.process, signal.SIGSTOP)):
            client.release()
            _hold(arena, client, self.process, self.seconds)
        return Struck(at=at, seen=f"stopped for {(_now() - at) / 1e6:.1f} s")


class Network(Struct, frozen=True, kw_only=True):
    """Something happens on the way between a process and the broker or the database.

    `restarted` is told to end then, so that it sends what only a start does.
    """

    link: str
    fault: NetworkFault
    restarted: str | None = None

    def strike(self, arena: Arena, chance: random.Random, client: Client) -> Struck:
        """Lie in wait on the link, let it last, heal the link."""
        proxy = arena.proxies[self.link]
        time.sleep(chance.random() / 2)
        proxy.strike(self.fault)
        try:
            client.release()
            if self.restarted is not None:
                arena.send(self.restarted, signal.SIGTERM)
            what = f"{self.fault.mode} on {self.link}"
            wait_until(lambda: proxy.struck_at is not None, what, REACH_SECONDS)
            at = proxy.struck_at
            assert at is not None
            time.sleep(self.fault.seconds)
        finally:
            proxy.heal()
        return Struck(at=int(at * 1e6), seen=f"{what}, {self.fault.seconds:.0f} s")


class DiskFull(Struct, frozen=True, kw_only=True):
    """Not a byte more fits on the disk of the stores, the broker or the database.

    `restarted` are told to end then, and find the disk full as they start.
    """

    disk: str
    words: tuple[str, ...]
    logs: tuple[str, ...]
    restarted: tuple[str, ...] = ()

    def strike(self, arena: Arena, chance: random.Random, client: Client) -> Struck:
        """Fill the disk, wait until somebody complains of it, make room."""
        if self.disk not in arena.disks:
            raise NotHere("this machine lets us mount no tmpfs; run it as root")
        before = {name: _size(arena.home / "logs" / f"{name}.log") for name in self.logs}
        disk, at = arena.disks[self.disk], _now()
        disk.fill()
        try:
            client.release()
            for process in self.restarted:
                arena.send(process, signal.SIGTERM)
            what = f"a complaint of the full disk, one of {self.words}"
            wait_until(lambda: self._complained(arena, disk, before), what, REACH_SECONDS)
            time.sleep(1.0)
        finally:
            disk.make_room()
        return Struck(at=at, seen=f"full until somebody said so after {(_now() - at) / 1e6:.1f} s")

    def _complained(self, arena: Arena, disk: Disk, before: dict[str, int]) -> bool:
        """What somebody has deleted meanwhile makes no room either."""
        disk.fill()
        for name, start in before.items():
            with (arena.home / "logs" / f"{name}.log").open("rb") as log:
                log.seek(start)
                said = log.read()
                if any(words.encode() in said for words in self.words):
                    return True
        return False


class NotHere(Exception):
    """This machine does not allow the fault; the message says why."""


@contextmanager
def _going_on(pid: int) -> Iterator[None]:
    """Whatever happens, the process is continued at the end."""
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _hold(arena: Arena, client: Client, process: str, seconds: float) -> None:
    """Keep it stopped: a decider until the other has decided everything, others for a time."""
    if process in DECIDERS:
        client.finish()
        with contextlib.suppress(NeverCame):
            wait_until(arena.decided, "the other decider to take over", REACH_SECONDS)
    else:
        time.sleep(seconds)


def _now() -> int:
    return time.time_ns() // 1_000


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
