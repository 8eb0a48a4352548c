"""Whether the decider's speed and memory stay with a million accounts: one of many, or of few.

Run it as `python -m benchmarks.accounts [--accounts 1000 1000000] [--commands N]`. Each number has
a process of its own: all accounts are opened, then the usual mix is decided, its accounts by turns
all over the ledger. The log gives commands as they are asked for and forgets what is committed, so
that the peak of memory is the decider's. Printed are microseconds of processor time of the mix.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from itertools import count, islice
from pathlib import Path

from benchmarks import kit
from benchmarks.deciding import PARTITIONS, START, world_of
from benchmarks.mix import commands
from consumers.deciding.decider import PartitionDecider
from consumers.deciding.store import Store
from ledger.log.seam import Batch, CommitResult, LogRecord, Outgoing, Topic


class Forgetting:
    """A log that makes up its commands, and keeps only the first event of each partition."""

    source = Topic.COMMANDS

    def __init__(self, given: Iterable[Outgoing], partition_count: int) -> None:
        self.partition_count = partition_count
        self._given = iter(given)
        self._waiting: list[list[LogRecord]] = [[] for _ in range(partition_count)]
        self._offsets = count()
        self._first: dict[int, LogRecord] = {}
        self.events = 0

    def fence(self, partition: int) -> None:
        """Nobody else is there."""

    def committed(self, partition: int) -> None:
        """Nothing at the start."""

    def high_watermark(self, topic: Topic, partition: int) -> int:
        """An empty log, or the opening."""
        return int(topic is Topic.EVENTS and partition in self._first)

    def fill(self, records: int) -> bool:
        """Make up the next commands; False if there are no more."""
        found = list(islice(self._given, records))
        for each in found:
            self._waiting[each.partition].append(
                LogRecord(
                    partition=each.partition,
                    offset=next(self._offsets),
                    appended_at=START,
                    key=each.key,
                    value=each.value,
                    headers=each.headers,
                )
            )
        return bool(found)

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """What was made up for the partition."""
        if topic is Topic.EVENTS:
            return Batch(records=(self._first[partition],), next_position=1)
        found, self._waiting[partition] = self._waiting[partition], []
        return Batch(
            records=tuple(found), next_position=found[-1].offset + 1 if found else position
        )

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """Forget them, but for the first."""
        self.events += len(records)
        if partition not in self._first and records:
            value = records[0].value
            self._first[partition] = LogRecord(
                partition=partition, offset=0, appended_at=0, key=None, value=value
            )

    def finish_commit(self, partition: int) -> CommitResult:
        """Done."""
        return CommitResult.OK

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        """All."""
        return frozenset(range(self.partition_count))

    def close(self) -> None:
        """Nothing to close."""


def measure(accounts: int, count_of_commands: int) -> None:
    """Print events, microseconds a command, and the peak of memory in MB."""
    given = commands(count_of_commands, START, PARTITIONS, accounts)
    world = world_of(PARTITIONS)
    with tempfile.TemporaryDirectory(prefix="refunds-bench-") as folder:
        log = Forgetting(given, PARTITIONS)
        deciders = [
            PartitionDecider(log, one, Store(Path(folder), one, "bench"), world)
            for one in range(PARTITIONS)
        ]
        for decider in deciders:
            decider.restore()
        opening, spent = accounts, 0.0
        while log.fill(min(4_000, opening) or 4_000):
            started = time.process_time()
            for decider in deciders:
                decider.step(0.0)
            spent += 0.0 if opening else time.process_time() - started
            opening -= min(4_000, opening)
        print(log.events, round(spent / count_of_commands * 1e6, 1), round(kit.peak_megabytes()))


def main() -> None:
    """Each number of accounts in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--commands", type=int, default=100_000)
    parser.add_argument("--here", action="store_true", help="in this process")
    asked = parser.parse_args()
    if asked.here:
        measure(asked.accounts[0], asked.commands)
        return
    figures: dict[str, object] = {}
    for accounts in asked.accounts:
        words = ["--here", "--accounts", str(accounts), "--commands", str(asked.commands)]
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.accounts", *words],
            check=True,
            capture_output=True,
            text=True,
        )
        events, microseconds, megabytes = told.stdout.splitlines()[-1].split()
        print(f"{accounts:>9} accounts, {events} events: {microseconds} µs, {megabytes} MB peak")
        figures[str(accounts)] = {
            "events": int(events),
            "microseconds": float(microseconds),
            "peak_megabytes": int(megabytes),
        }
    kit.keep("accounts", settings={"commands": asked.commands}, figures=figures)


if __name__ == "__main__":
    main()
