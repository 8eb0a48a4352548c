"""The processes: each owns partitions, restores them and works on them until it is stopped.

Crash-only: an error is raised, the process ends, and its supervisor starts it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event as Flag
from typing import TYPE_CHECKING, Any, LiteralString, Protocol

import structlog
from psycopg import Connection

from consumers.deadlines.keeper import DeadlineKeeper
from ledger.log.seam import Log

if TYPE_CHECKING:
    # A process without webhooks imports no HTTP client.
    from consumers.webhooks.courier import Courier

WAIT_SECONDS = 0.2
IDLE_SECONDS = 0.05
_RESTORED = object()
HOOKLESS_SECONDS = 1.0
"""How long the webhooks rest while there is none."""
WEBHOOKS_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('refund-ledger:webhooks', 0))"
KEEPER_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('refund-ledger:deadlines', 0))"

_log = structlog.get_logger(__name__)


class Worker(Protocol):
    """The work on one partition."""

    def restoring(self) -> Iterator[None]:
        """Become the owner, and find the position to continue from, a slice at a time: between two
        slices other partitions are worked on.
        """
        ...

    def begin(self) -> int:
        """Work on the available records, and begin to commit the result; returns how many."""
        ...

    def finish(self) -> None:
        """Wait for that commit, if one was begun."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class Partitions:
    """The workers of the partitions that this member of the group owns.

    New partitions are restored side by side, and those that are ready are worked on meanwhile.
    """

    def __init__(self, log: Log, new_worker: Callable[[int], Worker]) -> None:
        self._log = log
        self._new_worker = new_worker
        self._workers: dict[int, Worker] = {}
        self._restoring: dict[int, tuple[Worker, Iterator[None]]] = {}

    def step(self, wait_seconds: float) -> int:
        """Apply changes of ownership, then work on each partition; returns how much was done.

        1. Get the owned partitions, waiting for records or a change. 2. Release lost ones. 3.
        Restore each new one by a slice. 4. Work on those that are ready: while one is committed,
        the next one works. 5. Finish all commits, because a change of ownership must not happen
        during one. The workers handle a crash at any point.
        """
        owned = self._log.owned(0.0 if self._restoring else wait_seconds)
        for partition in (self._workers.keys() | self._restoring.keys()) - owned:
            self._release(partition)
            _log.info("let go", partition=partition)
        for partition in sorted(owned - self._workers.keys() - self._restoring.keys()):
            worker = self._new_worker(partition)
            self._restoring[partition] = (worker, worker.restoring())
        self._restore_further()
        done = sum(worker.begin() for worker in self._workers.values())
        for worker in self._workers.values():
            worker.finish()
        return done

    @property
    def working(self) -> bool:
        """Is any partition owned, and each owned one restored?"""
        return bool(self._workers) and not self._restoring

    def close(self) -> None:
        """Release all partitions and leave the group."""
        for partition in [*self._workers, *self._restoring]:
            self._release(partition)
        self._log.close()

    def _restore_further(self) -> None:
        for partition, (worker, slices) in list(self._restoring.items()):
            if next(slices, _RESTORED) is _RESTORED:
                del self._restoring[partition]
                self._workers[partition] = worker

    def _release(self, partition: int) -> None:
        if partition in self._restoring:
            worker, _ = self._restoring.pop(partition)
        else:
            worker = self._workers.pop(partition)
        worker.close()


def run_partitions(partitions: Partitions, stop: Flag, ready: Callable[[], None]) -> None:
    """Work until stopped. `ready` is called once the first partitions are restored."""
    announced = False
    try:
        while not stop.is_set():
            done = partitions.step(WAIT_SECONDS)
            if partitions.working and not announced:
                ready()
                announced = True
            if done:
                _log.debug("stepped", records=done)
    finally:
        partitions.close()


def run_reactions(
    partitions: Partitions,
    connection: Connection[Any],
    open_keeper: Callable[[], DeadlineKeeper],
    stop: Flag,
    ready: Callable[[], None],
) -> None:
    """Runs reactions and deadlines in one process, in turns, until stopped.

    Any number of such processes share the reactions. Only the one that has the database lock keeps
    the deadlines; the lock belongs to its connection.
    """
    keeper: DeadlineKeeper | None = None
    announced, busy = False, 0
    try:
        while not stop.is_set():
            if keeper is None and _locked(connection, KEEPER_LOCK):
                keeper = open_keeper()
            busy = partitions.step(0.0 if busy else IDLE_SECONDS)
            if keeper is not None:
                busy += keeper.follow(0.0 if busy else IDLE_SECONDS)
                busy += keeper.fire()
            if partitions.working and not announced and (keeper is None or keeper.caught_up()):
                ready()
                announced = True
    finally:
        partitions.close()


def run_webhooks(
    connection: Connection[Any],
    open_courier: Callable[[], Courier],
    stop: Flag,
    turned: Callable[[], None],
    ready: Callable[[], None],
) -> None:
    """Tells the webhooks until stopped. `turned` is called at every turn.

    1. Wait until no other process does; the lock belongs to its connection. 2. Look up the hooks.
    3. Store what they are to be told of. 4. Begin to send what is due. 5. Store what became of it.
    The courier handles a crash at any point.
    """
    while not _locked(connection, WEBHOOKS_LOCK):
        turned()
        if stop.wait(HOOKLESS_SECONDS):
            return
    courier, announced = open_courier(), False
    while not stop.is_set():
        turned()
        courier.look()
        if not announced and courier.caught_up():
            ready()
            announced = True
        if courier.idle and not courier.sending:
            stop.wait(HOOKLESS_SECONDS)
            continue
        busy = courier.follow(0.0 if courier.sending else WAIT_SECONDS)
        busy += courier.send()
        if courier.sending:
            courier.finish(0.0 if busy else IDLE_SECONDS)


def _locked(connection: Connection[Any], lock: LiteralString) -> bool:
    row = connection.execute(lock).fetchone()
    return row is not None and bool(row[0])
