"""A run of hostile records among good ones on a stack of its own, whose memory is watched."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from benchmarks.kit import peak_megabytes, seconds_of
from ledger.log.kafka.client.records import size_of
from ledger.log.kafka.client.settings import MAX_RECORD_BYTES
from ledger.log.seam import LogRecord, LogTools, Outgoing, Topic, only
from tests.consumers.processes.stacks import Stack, refundctl, running_stack
from tests.hostile.run import Tally, compared, stream
from tests.waiting import wait_until

MOST_MEGABYTES = 300.0
"""What a decider may have at most, however many records came."""
AT_ONCE = 5_000
PATIENCE_SECONDS = 3_600.0


class Figures(Struct, frozen=True, kw_only=True):
    """What became of the records, the peak of each process in megabytes, that of the decider as the
    records were published, and its processor time.
    """

    tally: Tally
    on_the_way: tuple[float, ...]
    megabytes: dict[str, float]
    decider_seconds: float

    def __str__(self) -> str:
        peaks = ", ".join(f"{name} {peak:.0f} MB" for name, peak in self.megabytes.items())
        rate = self.tally.sent / self.decider_seconds
        took = f"{self.decider_seconds:.0f} s of processor time, {rate:,.0f} records a second of it"
        grown = ", ".join(f"{peak:.0f}" for peak in self.on_the_way)
        return f"{self.tally}; peaks: {peaks}; decider on the way {grown} MB, {took}"


def run_on_a_stack(bad: int, seed: int, most_megabytes: float = MOST_MEGABYTES) -> Figures:
    """Publish it all to a real broker, have it decided by a real decider, and hold every record to
    what must become of it.

    1. Records are published in batches, as fast as the broker takes them. 2. All are decided, by
    the process that was there at the start. 3. Its peak of memory is below the bound. 4. Every
    record is compared, partition by partition; the audit is clean.
    Raises AssertionError where something is not so.
    """
    home = Path(tempfile.mkdtemp(prefix="refunds-hostile-"))
    home.chmod(0o755)
    try:
        with running_stack(home) as stack:
            names = [each.name for each in stack.status().processes]
            pids = {name: pid for name in names if (pid := stack.pid(name)) is not None}
            # 1
            grown = list(_published(stack, pids["decider"], bad, seed))
            # 2
            wait_until(stack.decided, "every record to be decided", PATIENCE_SECONDS)
            assert {name: stack.pid(name) for name in pids} == pids, "a process was started again"
            # 3
            megabytes = {name: peak_megabytes(pid) for name, pid in pids.items()}
            worst = megabytes["decider"]
            assert worst <= most_megabytes, f"the decider had {worst:.0f} MB"
            seconds = seconds_of(pids["decider"])
            # 4
            tally = _compared(stack)
            assert refundctl(stack.home, "audit", "verify") == ""
            return Figures(
                tally=tally,
                on_the_way=tuple(grown),
                megabytes=megabytes,
                decider_seconds=seconds,
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _published(stack: Stack, decider: int, bad: int, seed: int) -> Iterator[float]:
    """Publish all; the decider's peak about ten times. What no client of ours can send is left to
    the run in memory.
    """
    records, batches = filter(_sendable, stream(bad, seed)), 0
    each = max(1, bad * 4 // 3 // AT_ONCE // 10)
    while some := list(islice(records, AT_ONCE)):
        stack.tools.publish(some)
        batches += 1
        if batches % each == 0:
            yield peak_megabytes(decider)


def _sendable(record: Outgoing) -> bool:
    """It has a key or a value, and is not larger than the broker takes."""
    return size_of(record) <= MAX_RECORD_BYTES and (record.key, record.value) != (None, None)


def _compared(stack: Stack) -> Tally:
    """All partitions, one after the other, so that one at a time is in memory."""
    tally = Tally(reasons=Counter())
    for partition in range(stack.tools.partition_count):
        part = compared(OnePartition(stack.tools, partition))
        tally.sent += part.sent
        tally.decided += part.decided
        tally.duplicates += part.duplicates
        tally.reasons += part.reasons
    return tally


class OnePartition:
    """A log of which only one partition is read; satisfies `LogTools` for reading."""

    def __init__(self, tools: LogTools, partition: int) -> None:
        self._tools = tools
        self._partition = partition

    @property
    def partition_count(self) -> int:
        """Of every topic, the others too."""
        return self._tools.partition_count

    def replay(self, topic: Topic) -> Iterator[LogRecord]:
        """The records of this partition."""
        return self._tools.replay(topic, only(self._tools, self._partition))
