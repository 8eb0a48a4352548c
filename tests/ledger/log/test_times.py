"""The times of the Kafka client can be set by name, and never in the wrong order."""

from __future__ import annotations

import pytest

from ledger.log.kafka import KafkaSettings
from ledger.log.kafka.client.settings import with_times

SETTINGS = KafkaSettings(bootstrap="127.0.0.1:1", partition_count=1)


def test_a_time_is_set_by_its_name() -> None:
    times = with_times(SETTINGS, {"session_timeout_ms": 6000.0, "watchdog_seconds": 35.5})
    assert (times.session_timeout_ms, times.watchdog_seconds) == (6_000, 35.5)
    assert isinstance(times.session_timeout_ms, int)


def test_an_unknown_time_is_named() -> None:
    with pytest.raises(ValueError, match=r"no time is called \['session'\]"):
        with_times(SETTINGS, {"session": 6.0})


def test_times_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="is not in that order"):
        with_times(SETTINGS, {"transaction_timeout_ms": 40_000.0})
