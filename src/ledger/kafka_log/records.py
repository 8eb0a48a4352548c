"""Records as the client has them and as the seam has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.kafka_log.settings import MAX_RECORD_BYTES, KafkaSettings
from ledger.log import LogRecord, Outgoing, Topic


def log_record(found: Any) -> LogRecord:
    """From the client's ConsumerRecord; broker time is milliseconds there, micros here."""
    return LogRecord(
        partition=found.partition,
        offset=found.offset,
        appended_at=found.timestamp * 1000,
        key=found.key,
        value=found.value,
        headers=tuple((name, value if value is not None else b"") for name, value in found.headers),
    )


def check_outgoing(settings: KafkaSettings, records: Sequence[Outgoing]) -> None:
    """ValueError for what no broker would take, before anything is sent."""
    last = settings.partition_count - 1
    for record in records:
        if not 0 <= record.partition <= last:
            raise ValueError(f"{record.topic}: no partition {record.partition}; they run 0..{last}")
        size = len(record.key or b"") + len(record.value or b"")
        size += sum(len(name) + len(value) for name, value in record.headers)
        if size > MAX_RECORD_BYTES and record.topic is not Topic.DEAD_LETTERS:
            raise ValueError(
                f"{record.topic}/{record.partition}: a record of {size} bytes; "
                f"the limit is {MAX_RECORD_BYTES}"
            )


def send(producer: Any, settings: KafkaSettings, record: Outgoing) -> Any:
    """Hand one record to a producer; its future."""
    return producer.send(
        settings.topic_name(record.topic),
        value=record.value,
        key=record.key,
        headers=list(record.headers),
        partition=record.partition,
    )
