"""How far the ledger has come, as its topics and the decider's offsets tell it."""

from __future__ import annotations

from consumers.clock import Clock
from consumers.deciding.decider import GROUP
from consumers.deciding.progress import SKEW, LedgerProgress
from ledger.log.memory import MemoryCluster
from ledger.log.seam import Outgoing, Topic
from ledger.values.instants import Instant


class Standing:
    """A clock that stands still."""

    def __init__(self, instant: Instant) -> None:
        self._instant = instant

    def now(self) -> Instant:
        return self._instant


def reach(cluster: MemoryCluster, clock: Clock | None = None) -> LedgerProgress:
    return LedgerProgress(cluster, clock or Standing(0))


def test_the_present_allows_for_a_broker_whose_clock_is_behind() -> None:
    cluster = MemoryCluster(1, lambda: 0)
    assert reach(cluster, Standing(SKEW + 7)).now() == 7
    assert reach(cluster, Standing(3)).now() == 0


def test_commands_are_decided_as_far_as_the_decider_has_committed() -> None:
    cluster = MemoryCluster(2, lambda: 0)
    record = Outgoing(topic=Topic.COMMANDS, partition=1, key=b"a", value=b"?")
    cluster.publish([record, record])
    assert list(reach(cluster).given()) == [0, 2]
    assert list(reach(cluster).decided()) == [None, None]
    log = cluster.consumer(GROUP, Topic.COMMANDS)
    log.fence(1)
    log.begin_commit(1, [], 2, "")
    log.finish_commit(1)
    assert list(reach(cluster).decided()) == [None, 2]
