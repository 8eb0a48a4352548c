"""Three brokers: any one may be lost in the middle of the work, and nothing is otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack import Services
from devstack.kafka.broker import SETTINGS, names
from ledger.log.kafka import replicas
from ledger.log.seam import LogUnavailable, Topic
from tests.consumers.ledgers import assert_one_chain
from tests.consumers.processes.oracle import expected_events, recorded_events
from tests.consumers.processes.stacks import PARTITIONS, Stack, running_stack
from tests.consumers.processes.test_killed import (
    assert_shown_and_proven,
    kill,
    mixed,
    publish_again_and_again,
    settle,
)
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(1_200),
    # The client leaves closing a socket that was refused to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
BROKERS = 3
WAVE = 100
PATIENCE_SECONDS = 300.0
"""A transaction that was open on the lost broker ends with its delivery timeout, and the process
with it; the next one begins on the brokers that are left. On a busy machine that happens twice.
"""


@pytest.fixture
def stack(services: Services, tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own; `services` only counts it among the tests on real ones."""
    del services
    with running_stack(tmp_path / "home", brokers=BROKERS) as running:
        yield running


def test_killing_each_broker_in_turn_changes_nothing(stack: Stack) -> None:
    """Each stays down until the other two have decided without it."""
    sent = 0
    for name in names(BROKERS):
        wait_until(lambda: whole(stack), "every record to be on every broker")
        publish(stack, sent)
        with lost(stack, name):
            publish(stack, sent + WAVE)
            wait_until(lambda: decided(stack), f"a decision without {name}", PATIENCE_SECONDS)
            assert not stack.ready(name)
        publish(stack, sent + 2 * WAVE)
        sent += 3 * WAVE
    settle(stack)
    assert all(stack.restarts(name) for name in names(BROKERS))
    assert recorded_events(stack.tools) == expected_events(stack.tools)
    assert_one_chain(list(stack.tools.replay(Topic.EVENTS)), PARTITIONS)
    assert_shown_and_proven(stack)


def publish(stack: Stack, first: int) -> None:
    """The next wave of commands."""
    publish_again_and_again(stack, [mixed(each) for each in range(first, first + WAVE)])


@contextmanager
def lost(stack: Stack, name: str) -> Iterator[None]:
    """Killed, and without the settings to start again until the block is through."""
    settings = stack.home / name / SETTINGS
    aside = settings.with_suffix(".aside")
    settings.rename(aside)
    try:
        kill(stack, name)
        wait_until(lambda: not stack.ready(name), f"{name} to be gone")
        yield
    finally:
        aside.rename(settings)


def decided(stack: Stack) -> bool:
    """Has the decider committed every command there is, as far as anybody answers?"""
    try:
        return stack.decided()
    except LogUnavailable:
        return False


def whole(stack: Stack) -> bool:
    """All brokers are up and in step, and those of other parts of the stack too."""
    try:
        found = replicas(stack.settings)
    except LogUnavailable:
        return False
    kept = (found.brokers, found.replication, found.under_replicated)
    return kept == (BROKERS, BROKERS, ()) and all(map(stack.ready, names(BROKERS)))
