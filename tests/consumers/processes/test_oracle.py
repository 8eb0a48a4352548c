"""The oracle makes of the commands what a decider does, and notices what it does not."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.log.seam import Topic
from tests.consumers.deciding.test_decider import drained
from tests.consumers.ledgers import Bench, opening, record, standing
from tests.consumers.processes.oracle import expected_events, recorded_events


def decided(*, sends_rubbish: bool = False) -> Bench:
    bench = Bench()
    rubbish = replace(record(standing(9)), value=b"rubbish")
    bench.publish(record(opening()), *([rubbish] if sends_rubbish else []), record(standing(1)))
    drained(bench.decider())
    return bench


def test_it_agrees_with_an_undisturbed_decider() -> None:
    bench = decided(sends_rubbish=True)
    assert recorded_events(bench.cluster) == expected_events(bench.cluster)
    assert len(bench.records(Topic.EVENTS)) == 3


def test_a_command_that_was_lost_is_noticed() -> None:
    bench = decided()
    bench.publish(record(standing(2)))
    assert recorded_events(bench.cluster) != expected_events(bench.cluster)
