"""The lag in seconds, from the ends that were seen."""

from __future__ import annotations

from console.monitoring.seen_ends import SeenEnds


def test_it_is_how_long_ago_the_first_unread_record_was_seen() -> None:
    seen = SeenEnds()
    assert seen.seconds_behind(position=100, end=100, now=0) == 0
    assert seen.seconds_behind(position=100, end=110, now=10) == 0
    assert seen.seconds_behind(position=100, end=120, now=20) == 10
    assert seen.seconds_behind(position=115, end=120, now=30) == 10
    assert seen.seconds_behind(position=120, end=120, now=40) == 0


def test_it_goes_on_growing_while_nothing_is_read() -> None:
    seen = SeenEnds()
    seen.seconds_behind(position=0, end=5, now=0)
    assert seen.seconds_behind(position=0, end=5, now=3_600) == 3_600


def test_many_looks_take_bounded_memory_and_keep_the_first() -> None:
    seen = SeenEnds()
    for look in range(100_000):
        behind = seen.seconds_behind(position=0, end=look + 1, now=look)
    assert behind == 99_999
    assert len(seen._seen) <= 513
