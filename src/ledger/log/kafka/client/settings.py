"""The settings of the Kafka client whose defaults are not safe here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from msgspec import Struct
from msgspec.structs import replace

from ledger.log.kafka.client.security import OPEN, KafkaSecurity, security_options
from ledger.log.seam import Topic

MAX_RECORD_BYTES = 1_000_000
"""Key, value and headers of one record of ours; also the broker's limit for commands and events."""

_DEAD_LETTER_ALLOWANCE = 64 * 1024
_GATHERED_BYTES, _GATHERED_MS = 64 * 1024, 50
_PARTITION_FETCH_BYTES = 1_250_000
"""More than the largest batch of any topic, so that one is never left out for its size."""


class KafkaSettings(Struct, frozen=True, kw_only=True):
    """The addresses of the brokers, and how long to wait for them.

    `prefix` begins every topic, group and transactional id, so that several ledgers can share a
    cluster. The times are ordered: a request times out before its transaction, a transaction before
    its record; the watchdog comes last. `gathers`: see `gathered`.
    """

    bootstrap: str
    partition_count: int
    prefix: str = ""
    security: KafkaSecurity = OPEN
    connect_timeout_seconds: float = 5.0
    request_timeout_ms: int = 10_000
    transaction_timeout_ms: int = 20_000
    delivery_timeout_ms: int = 30_000
    watchdog_seconds: float = 40.0
    slow_commit_seconds: float = 5.0
    session_timeout_ms: int = 15_000
    max_poll_interval_ms: int = 300_000
    max_buffered_records: int = 5_000
    gathers: bool = False

    def __post_init__(self) -> None:
        """Refuse times that are not in this order."""
        times = (
            self.request_timeout_ms,
            self.transaction_timeout_ms,
            self.delivery_timeout_ms,
            int(self.watchdog_seconds * 1000),
        )
        if list(times) != sorted(set(times)):
            raise ValueError(
                "request_timeout_ms < transaction_timeout_ms < delivery_timeout_ms < watchdog: "
                f"{times} is not in that order"
            )
        if self.partition_count < 1:
            raise ValueError(f"partition_count {self.partition_count}: a topic has at least one")

    def topic_name(self, topic: Topic) -> str:
        """The topic's name at the brokers."""
        return self.prefix + topic.value

    def group_name(self, group: str) -> str:
        """The consumer group's name at the brokers."""
        return self.prefix + group


def gathered(settings: KafkaSettings) -> KafkaSettings:
    """The same for a consumer whose results nobody waits for within 50 ms: unless there is much to
    fetch, it fetches twenty times a second instead of at every batch of events, and costs brokers
    and database that much less.
    """
    return replace(settings, gathers=True)


def with_times(settings: KafkaSettings, times: Mapping[str, float]) -> KafkaSettings:
    """The settings with these times, by name. ValueError for an unknown name or a wrong order."""
    known = {name for name in settings.__struct_fields__ if name.endswith(("_ms", "_seconds"))}
    unknown = times.keys() - known
    if unknown:
        raise ValueError(f"no time is called {sorted(unknown)}; they are {sorted(known)}")
    exact = {name: int(time) if name.endswith("_ms") else time for name, time in times.items()}
    return replace(settings, **exact)


def max_message_bytes(topic: Topic) -> int:
    """More for dead letters: each has a complete record of another topic, and error headers."""
    if topic is Topic.DEAD_LETTERS:
        return MAX_RECORD_BYTES + 2 * _DEAD_LETTER_ALLOWANCE
    return MAX_RECORD_BYTES + _DEAD_LETTER_ALLOWANCE


def admin_options(settings: KafkaSettings) -> dict[str, Any]:
    """For reads of offsets and topics: short timeouts, because the caller retries."""
    return {
        **_connection_options(settings),
        "retry_backoff_ms": 20,
    }


def writer_options(settings: KafkaSettings) -> dict[str, Any]:
    """For the requests of transactions. Each producer waits for its own answers, so nothing else
    limits how many requests are under way over a connection that they share.
    """
    return {**admin_options(settings), "max_in_flight_requests_per_connection": 10_000}


def producer_options(settings: KafkaSettings) -> dict[str, Any]:
    """For an idempotent producer of raw bytes.

    The linger only prevents that the first of many records is sent alone; callers that wait flush.
    """
    return {
        **_connection_options(settings),
        "acks": "all",
        "enable_idempotence": True,
        "allow_auto_create_topics": False,
        "batch_size": 512 * 1024,
        "linger_ms": 20,
        "max_request_size": 4 * 1024 * 1024,
        "max_block_ms": settings.request_timeout_ms,
        "delivery_timeout_ms": settings.delivery_timeout_ms,
        "retry_backoff_ms": 3,
        "metrics_enabled": False,
    }


def transactional_options(settings: KafkaSettings, transactional_id: str) -> dict[str, Any]:
    """For the only producer that may write the results of a source partition."""
    return {
        **producer_options(settings),
        "transactional_id": transactional_id,
        "transaction_timeout_ms": settings.transaction_timeout_ms,
        "max_block_ms": settings.transaction_timeout_ms,
    }


def reader_options(settings: KafkaSettings) -> dict[str, Any]:
    """For a consumer of committed records as raw bytes, from given positions, in no group.

    A poll returns everything that was fetched (why: `ledger.log.kafka.client.records`); only the
    bytes of a fetch limit how much that is.
    """
    return {
        **_connection_options(settings),
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
        "allow_auto_create_topics": False,
        "max_poll_records": sys.maxsize,
        "fetch_min_bytes": _GATHERED_BYTES if settings.gathers else 1,
        "fetch_max_wait_ms": _GATHERED_MS,
        "fetch_max_bytes": 16 * 1024 * 1024,
        "max_partition_fetch_bytes": _PARTITION_FETCH_BYTES,
        "retry_backoff_ms": 20,
        "metrics_enabled": False,
    }


def member_options(settings: KafkaSettings, group: str, member_id: str) -> dict[str, Any]:
    """For a static member of a consumer group: its name stays the same in the next process."""
    return {
        **reader_options(settings),
        "group_id": settings.group_name(group),
        "group_instance_id": member_id,
        "partition_assignment_strategy": (CooperativeStickyAssignor,),
        "session_timeout_ms": settings.session_timeout_ms,
        "heartbeat_interval_ms": min(1_000, settings.session_timeout_ms // 3),
        "max_poll_interval_ms": settings.max_poll_interval_ms,
        "fetch_max_wait_ms": _GATHERED_MS if settings.gathers else 200,
    }


def _connection_options(settings: KafkaSettings) -> dict[str, Any]:
    return {
        **security_options(settings.security),
        "bootstrap_servers": settings.bootstrap.split(","),
        "bootstrap_timeout_ms": int(settings.connect_timeout_seconds * 1000),
        "request_timeout_ms": settings.request_timeout_ms,
        "reconnect_backoff_ms": 50,
        "reconnect_backoff_max_ms": 1_000,
        "max_in_flight_requests_per_connection": 5,
    }
