"""A reader that stands still though there is more to read is noticed, and only that one."""

from __future__ import annotations

from typing import cast

import pytest

from ledger.log.kafka import KafkaSettings
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.kafka.reading.positions import Standstill
from ledger.log.seam import LogUnavailable, Topic

SETTINGS = KafkaSettings(bootstrap="127.0.0.1:1", partition_count=2, request_timeout_ms=10_000)


class Brokers:
    """Their last stable offsets, their clock, and how often they were asked."""

    def __init__(self) -> None:
        self.ends: dict[int, int] | None = {0: 10, 1: 10}
        self.now = 0.0
        self.asked = 0

    def stable_ends(self, topic: Topic, partitions: list[int]) -> dict[int, int]:
        self.asked += 1
        if self.ends is None:
            raise LogUnavailable("nobody answers")
        return {partition: self.ends[partition] for partition in partitions}


@pytest.fixture
def brokers() -> Brokers:
    return Brokers()


@pytest.fixture
def standstill(brokers: Brokers) -> Standstill:
    return Standstill(SETTINGS, cast("Offsets", brokers), lambda: brokers.now)


def go_on(standstill: Standstill, brokers: Brokers, seconds: int, *positions: int) -> None:
    """Look once a second, the partitions standing where they are said to."""
    for _ in range(seconds):
        brokers.now += 1
        standstill.check(Topic.EVENTS, dict(enumerate(positions)))


def test_who_stands_still_below_the_end_is_told_where(
    standstill: Standstill, brokers: Brokers
) -> None:
    go_on(standstill, brokers, 31, 10, 4)
    with pytest.raises(LogUnavailable, match=r"events\.v1/1: .* at 4 for 31 s.* up to 10"):
        go_on(standstill, brokers, 1, 10, 4)


def test_who_has_read_everything_may_wait_for_ever(
    standstill: Standstill, brokers: Brokers
) -> None:
    go_on(standstill, brokers, 1_000, 10, 10)
    assert 0 < brokers.asked < 110


def test_who_moves_on_is_never_asked_about(standstill: Standstill, brokers: Brokers) -> None:
    for position in range(50):
        go_on(standstill, brokers, 19, position, position)
    assert brokers.asked == 0


def test_records_that_have_just_come_are_no_standstill(
    standstill: Standstill, brokers: Brokers
) -> None:
    go_on(standstill, brokers, 100, 10, 10)
    brokers.ends = {0: 11, 1: 11}
    go_on(standstill, brokers, 9, 10, 10)
    go_on(standstill, brokers, 100, 11, 11)


def test_brokers_that_do_not_answer_are_no_standstill(
    standstill: Standstill, brokers: Brokers
) -> None:
    brokers.ends = None
    go_on(standstill, brokers, 500, 4, 4)
    assert brokers.asked > 0
