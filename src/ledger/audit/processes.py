"""Audits the partitions of a log side by side, each process with connections of its own."""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from ledger.audit.before import PlaceRefused
from ledger.audit.evidence import AuditedPartition, Check
from ledger.audit.partition_audit import PartitionReport, audit_partition
from ledger.log.seam import LogTools, LogUnavailable

OpenTools = Callable[[], LogTools]
"""Opens the log in another process, so it must be picklable."""

_COLLECTED_OBJECTS = 100_000


class AuditInterrupted(Exception):
    """A process of the audit has ended before its work was done."""


def audit_side_by_side(
    open_tools: OpenTools,
    partitions: Sequence[AuditedPartition],
    checks: Sequence[Check],
    tell: Callable[[int], None],
    jobs: int,
) -> list[PartitionReport]:
    """The reports of the partitions, in their order, by `jobs` processes.

    1. Start the processes; each gets one partition, and the next when it has reported. 2. Receive
    what they tell, until all partitions are reported. 3. End the processes, whatever has happened.
    If this process is killed, each of them ends when it tells its progress.
    """
    waiting, reports = list(reversed(partitions)), dict[int, PartitionReport]()
    workers: dict[Connection, SpawnProcess] = {}
    try:
        # 1
        for _ in range(min(jobs, len(partitions))):
            connection, process = _started(open_tools, checks)
            workers[connection] = process
            connection.send(waiting.pop())
        # 2
        while len(reports) < len(partitions):
            for connection in _ready(workers):
                told = _told(connection, workers[connection])
                if isinstance(told, int):
                    tell(told)
                else:
                    reports[told.partition] = told
                    if waiting:
                        connection.send(waiting.pop())
    finally:
        # 3
        for connection, process in workers.items():
            connection.close()
            process.terminate()
            process.join()
    return [reports[each.partition] for each in partitions]


def _started(open_tools: OpenTools, checks: Sequence[Check]) -> tuple[Connection, SpawnProcess]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, open_tools, tuple(checks)), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _ready(workers: Mapping[Connection, SpawnProcess]) -> list[Connection]:
    found = wait(list(workers))
    return [connection for connection in workers if connection in found]


def _told(connection: Connection, process: SpawnProcess) -> int | PartitionReport:
    """A number of new steps, or a report. Raises what the process has raised."""
    try:
        told: int | PartitionReport | Exception = connection.recv()
    except (EOFError, ConnectionResetError):
        process.join()
        raise AuditInterrupted(
            f"process {process.pid} of the audit ended with code {process.exitcode}; look for what "
            "ended it (memory, disk), and run the audit again"
        ) from None
    if isinstance(told, Exception):
        raise told
    return told


def _work(connection: Connection, open_tools: OpenTools, checks: Sequence[Check]) -> None:
    """Audit one partition after the other, until the parent closes the connection.

    Ctrl-C reaches all processes of the terminal; the parent alone acts on it, and ends this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_rarely()
    tools = open_tools()
    try:
        while True:
            audited = connection.recv()
            try:
                connection.send(audit_partition(tools, audited, checks, connection.send))
            except (LogUnavailable, PlaceRefused) as error:
                connection.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    finally:
        tools.close()


def collect_rarely() -> None:
    """Look for circles of garbage once in 100,000 objects, not in 700: the steps of an audit form
    none, and looking for them took 9 % of its time.
    """
    gc.freeze()
    gc.set_threshold(_COLLECTED_OBJECTS)
