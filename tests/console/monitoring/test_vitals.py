"""A process lives while its loop moves; it is ready while all its consumers work."""

from __future__ import annotations

import pytest

from console.monitoring.vitals import Duty, Vitals


class Told:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Told:
    return Told()


@pytest.fixture
def vitals(clock: Told) -> Vitals:
    return Vitals(clock, live_seconds=60, commit_seconds=30)


@pytest.fixture
def duty(vitals: Vitals) -> Duty:
    """A decider that works on two partitions."""
    found = vitals.duty("decider")
    vitals.owns(found, frozenset({0, 1}))
    return found


def test_a_process_whose_loop_stands_still_does_not_live(
    vitals: Vitals, duty: Duty, clock: Told
) -> None:
    clock.now += 60
    assert vitals.why_not_live() is None
    clock.now += 1
    assert vitals.why_not_live() == "the main loop has not moved for 61 s"
    vitals.turned()
    assert vitals.why_not_live() is None


def test_one_that_does_not_live_is_not_ready(vitals: Vitals, duty: Duty, clock: Told) -> None:
    clock.now += 61
    assert vitals.why_not_ready() == "the main loop has not moved for 61 s"


def test_a_member_without_partitions_is_not_ready(vitals: Vitals, duty: Duty) -> None:
    assert vitals.why_not_ready() is None
    vitals.owns(duty, frozenset())
    assert vitals.why_not_ready() == "decider: owns no partition of its group"


def test_a_restore_is_told_with_its_progress(vitals: Vitals, duty: Duty) -> None:
    duty.restoring[1] = (250, 1_000)
    assert vitals.why_not_ready() == "decider: partition 1 is being restored, 250 of 1000"


def test_a_partition_that_is_lost_is_not_waited_for(
    vitals: Vitals, duty: Duty, clock: Told
) -> None:
    duty.restoring[1] = (250, 1_000)
    vitals.took(duty, 1)
    vitals.owns(duty, frozenset({0}))
    clock.now += 31
    assert vitals.why_not_ready() is None


def test_what_was_read_and_is_not_committed_is_told(
    vitals: Vitals, duty: Duty, clock: Told
) -> None:
    vitals.took(duty, 0)
    clock.now += 31
    vitals.turned()
    assert vitals.why_not_ready() == "decider: partition 0 has not committed for 31 s"
    assert vitals.committed(duty, 0) == 31
    assert vitals.why_not_ready() is None


def test_a_consumer_of_all_partitions_is_ready_when_it_has_read_up_to_the_end(
    vitals: Vitals,
) -> None:
    found = vitals.duty("projector", all_partitions=True)
    assert vitals.why_not_ready() == (
        "projector: has not read up to the end that the log had at its start"
    )
    found.begun = True
    assert vitals.why_not_ready() is None


def test_a_process_is_ready_when_all_its_consumers_are(vitals: Vitals, duty: Duty) -> None:
    vitals.duty("deadlines", all_partitions=True)
    assert vitals.why_not_ready() is not None


def test_a_process_without_consumers_yet_is_not_ready(vitals: Vitals) -> None:
    assert vitals.why_not_ready() == "no consumer has started yet"
