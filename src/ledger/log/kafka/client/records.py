"""Converts records between the client and the interface of the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka import TopicPartition

from ledger.log.kafka.client.settings import MAX_RECORD_BYTES, KafkaSettings
from ledger.log.seam import LogRecord, Outgoing, Topic


def log_record(found: Any) -> LogRecord:
    """Made from the client's ConsumerRecord; its broker time is in milliseconds, ours in micros."""
    return LogRecord(
        partition=found.partition,
        offset=found.offset,
        appended_at=found.timestamp * 1000,
        key=found.key,
        value=found.value,
        headers=tuple((name, value if value is not None else b"") for name, value in found.headers),
    )


def check_outgoing(settings: KafkaSettings, records: Sequence[Outgoing]) -> None:
    """Raises ValueError for records that no broker would accept, before anything is sent."""
    last = settings.partition_count - 1
    for record in records:
        if not 0 <= record.partition <= last:
            raise ValueError(f"{record.topic}: no partition {record.partition}; it has 0..{last}")
        size = len(record.key or b"") + len(record.value or b"")
        size += sum(len(name) + len(value) for name, value in record.headers)
        if size > MAX_RECORD_BYTES and record.topic is not Topic.DEAD_LETTERS:
            raise ValueError(
                f"{record.topic}/{record.partition}: a record of {size} bytes; "
                f"the limit is {MAX_RECORD_BYTES}"
            )


def send_all(producer: Any, settings: KafkaSettings, records: Sequence[Outgoing]) -> list[Any]:
    """Give records to a producer, in order; returns their futures.

    The first record of each partition uses the public `send`, which waits for metadata, adds the
    partition to the transaction and raises if the producer cannot send. The others are appended to
    its buffer in the same way as `send` does: a transaction of 1,000 records then takes half the
    time (measured).
    """
    append, wake = producer._accumulator.append, producer._sender.wakeup
    places: dict[tuple[Topic, int], TopicPartition] = {}
    futures = []
    for record in records:
        place = places.get((record.topic, record.partition))
        if place is None:
            futures.append(_send(producer, settings, record))
            place = TopicPartition(settings.topic_name(record.topic), record.partition)
            places[record.topic, record.partition] = place
            continue
        future, full, created, _ = append(
            place, None, record.key, record.value, list(record.headers)
        )
        if full or created:
            wake()
        futures.append(future)
    return futures


def _send(producer: Any, settings: KafkaSettings, record: Outgoing) -> Any:
    return producer.send(
        settings.topic_name(record.topic),
        value=record.value,
        key=record.key,
        headers=list(record.headers),
        partition=record.partition,
    )
