"""The decider on a log in memory, its stores in files: what all of it costs.

`python -m benchmarks.deciding COMMANDS [ACCOUNTS]` prints the microseconds of processor time that
a command took, and the peak of memory in MB; another commit's source may be on the path, so it uses
only what has been there for long.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from benchmarks import kit
from benchmarks.mix import commands
from consumers.deciding.decider import GROUP, PartitionDecider, World
from consumers.deciding.store import Store
from ledger.log.memory import MemoryCluster, MemoryLog
from ledger.log.seam import Topic
from ledger.terms.table import released_terms
from ledger.values.instants import Instant
from ledger.vocabulary.events import LedgerOpened

PARTITIONS = 4
START: Instant = 1_767_600_000_000_000
WARM_UP = 2_000


class Ledger(Struct, frozen=True, kw_only=True):
    """A ledger on a broker in memory; all commands are published, and the partitions opened."""

    log: MemoryLog
    world: World
    stores: tuple[Store, ...]
    deciders: tuple[PartitionDecider, ...]


def whole(count: int, accounts: int | None) -> tuple[float, float]:
    """Microseconds a command, and the most memory that this process had so far in MB."""
    with ledger(count, accounts) as made:
        start, done = time.process_time(), 0
        while step := sum(decider.step(0.0) for decider in made.deciders):
            done += step
        seconds = time.process_time() - start
    assert done >= count
    return seconds / done * 1e6, kit.peak_megabytes()


def world_of(partitions: int, **settings: Any) -> World:
    """The settings of a ledger that is made for measuring."""
    opened = LedgerOpened(
        partition_count=partitions,
        topic_ids={topic.value: topic.value for topic in Topic},
        sandbox=False,
        program_version="bench",
    )
    return World(opened=opened, terms=released_terms(), **settings)


@contextmanager
def ledger(count: int, accounts: int | None = None) -> Iterator[Ledger]:
    """A ledger with its stores in files, as in a real process."""
    world = world_of(PARTITIONS)
    cluster = MemoryCluster(PARTITIONS, lambda: START)
    cluster.publish(list(commands(count, START, PARTITIONS, accounts)))
    log = cluster.consumer(GROUP, Topic.COMMANDS)
    with tempfile.TemporaryDirectory(prefix="refunds-bench-") as folder:
        stores = tuple(
            Store(Path(folder), number, world.events_topic_id) for number in range(PARTITIONS)
        )
        deciders = tuple(
            PartitionDecider(log, number, store, world) for number, store in enumerate(stores)
        )
        for decider in deciders:
            decider.restore()
        yield Ledger(log=log, world=world, stores=stores, deciders=deciders)
        for decider in deciders:
            decider.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", type=int)
    parser.add_argument("accounts", type=int, nargs="?")
    asked = parser.parse_args()
    whole(WARM_UP, None)
    print(*whole(asked.commands, asked.accounts))
