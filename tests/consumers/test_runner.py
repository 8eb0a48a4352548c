"""The partitions of a process: restored side by side, while those that are ready are worked on."""

from __future__ import annotations

import pytest

from consumers.deciding import folding
from consumers.deciding.decider import GROUP, PartitionDecider
from consumers.deciding.store import Store
from consumers.runner import Partitions
from ledger.log.memory import MemoryCluster
from ledger.log.seam import Topic
from ledger.values.ids import partition_of
from tests.consumers.ledgers import START, opening, record, standing, world

LONG, SHORT = "acct-1", "acct-2"


@pytest.fixture
def cluster() -> MemoryCluster:
    """Two partitions: one with a long history, one with a short one."""
    assert partition_of(LONG.encode(), 2) != partition_of(SHORT.encode(), 2)
    cluster = MemoryCluster(2, lambda: START)
    cluster.publish([record(opening(each), 2) for each in (LONG, SHORT)])
    cluster.publish([record(standing(number, LONG), 2) for number in range(9)])
    first = partitions(cluster)
    while first.step(0.0) or not first.working:
        pass
    first.close()
    return cluster


def partitions(cluster: MemoryCluster) -> Partitions:
    """A process without any local state."""
    ledger = world(partitions=2)
    log = cluster.consumer(GROUP, Topic.COMMANDS)

    def owner(partition: int) -> PartitionDecider:
        return PartitionDecider(log, partition, Store(None, partition, "t-1"), ledger)

    return Partitions(log, owner)


def test_a_partition_that_is_ready_decides_while_another_restores(
    cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "FOLDED_AT_ONCE", 2)
    cluster.publish([record(standing(100, each), 2) for each in (LONG, SHORT)])
    process = partitions(cluster)
    steps = [(process.step(0.0), process.working) for _ in range(12)]
    decided = [done for done, _ in steps]
    assert sum(decided) == 2
    assert steps[decided.index(1)] == (1, False)


def test_a_partition_that_is_lost_in_the_middle_of_its_restore_is_let_go(
    cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "FOLDED_AT_ONCE", 2)
    process = partitions(cluster)
    for _ in range(3):
        process.step(0.0)
    assert not process.working
    names = ("a", "z") if partition_of(LONG.encode(), 2) == 0 else ("z", "a")
    cluster.consumer(GROUP, Topic.COMMANDS, names[0])
    process.step(0.0)
    assert process.working
