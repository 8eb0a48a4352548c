"""From one process to three and back under load: nothing is lost, doubled or out of order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devstack import Services
from ledger.log.seam import Topic
from tests.consumers.ledgers import assert_one_chain
from tests.consumers.processes.oracle import expected_events, recorded_events
from tests.consumers.processes.stacks import PARTITIONS, Stack, refundctl, running_stack
from tests.consumers.processes.test_killed import assert_shown_and_proven, kill, mixed, settle
from tests.waiting import wait_until

pytestmark = [pytest.mark.timeout(600), pytest.mark.cluster]
WAVE = 60
SCALES = (("decider=3", "reactions=2"), ("decider=1", "reactions=1"))


@pytest.fixture
def stack(services: Services, tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own; `services` only counts it among the tests on real ones."""
    del services
    with running_stack(tmp_path / "home") as running:
        yield running


class Load:
    """Waves of the three stories, one after the other."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.sent = 0

    def wave(self) -> None:
        """The next so many commands."""
        commands = [mixed(number) for number in range(self.sent, self.sent + WAVE)]
        self._stack.tools.publish(commands)
        self.sent += WAVE


def test_one_to_three_and_back_under_load_changes_nothing(stack: Stack) -> None:
    load = Load(stack)
    load.wave()
    for scale in SCALES:
        with ThreadPoolExecutor(1) as apart:
            scaled = apart.submit(refundctl, stack.home, "scale", *scale)
            while not scaled.done():
                load.wave()
                wait_until(stack.decided, "the wave to be decided")
            assert scaled.result().startswith("running")
        for _ in range(3):
            load.wave()
        if scale is SCALES[0]:
            assert len(deciders(stack)) == 3
            kill(stack, "decider-2")
            load.wave()
            wait_until(lambda: stack.ready("decider-2"), "the killed one to be back")
    settle(stack)
    assert deciders(stack) == ["decider"]
    assert recorded_events(stack.tools) == expected_events(stack.tools)
    assert_one_chain(list(stack.tools.replay(Topic.EVENTS)), PARTITIONS)
    assert_shown_and_proven(stack)


def deciders(stack: Stack) -> list[str]:
    """Those that run and have their share."""
    return [
        each.name
        for each in stack.status().processes
        if each.name.startswith("decider") and stack.ready(each.name)
    ]
