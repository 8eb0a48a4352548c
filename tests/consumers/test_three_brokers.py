"""Three brokers: any one may be lost in the middle of the work, and nothing is otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import Services
from devstack.broker import names
from ledger.kafka_log import replicas
from ledger.log import LogUnavailable, Topic
from tests.consumers.ledgers import assert_one_chain
from tests.consumers.oracle import expected_events, recorded_events
from tests.consumers.stacks import PARTITIONS, Stack, running_stack, wait_until
from tests.consumers.test_killed import (
    assert_shown_and_proven,
    kill,
    mixed,
    publish_again_and_again,
    settle,
)

pytestmark = [
    pytest.mark.timeout(600),
    # The client leaves closing a socket that was refused to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
BROKERS = 3
WAVE = 100


@pytest.fixture
def stack(services: Services, tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own; `services` only counts it among the tests on real ones."""
    del services
    with running_stack(tmp_path / "home", brokers=BROKERS) as running:
        yield running


def test_killing_each_broker_in_turn_changes_nothing(stack: Stack) -> None:
    sent = 0
    for name in names(BROKERS):
        wait_until(lambda: whole(stack), "every record to be on every broker")
        for number in range(4):
            wave = [mixed(each) for each in range(sent, sent + WAVE)]
            publish_again_and_again(stack, wave)
            sent += WAVE
            if number == 0:
                kill(stack, name)
    settle(stack)
    assert {name: stack.restarts(name) for name in names(BROKERS)} == dict.fromkeys(
        names(BROKERS), 1
    )
    assert recorded_events(stack.tools) == expected_events(stack.tools)
    assert_one_chain(list(stack.tools.replay(Topic.EVENTS)), PARTITIONS)
    assert_shown_and_proven(stack)


def whole(stack: Stack) -> bool:
    """All brokers are up and in step, and those of other parts of the stack too."""
    try:
        found = replicas(stack.settings)
    except LogUnavailable:
        return False
    kept = (found.brokers, found.replication, found.under_replicated)
    return kept == (BROKERS, BROKERS, ()) and all(map(stack.ready, names(BROKERS)))
