"""The last records of a topic of any name: to look at what a publisher has sent."""

from __future__ import annotations

import time
from typing import Any

from kafka import TopicPartition, errors
from msgspec import Struct

from ledger.log.kafka.client.connection import ask
from ledger.log.kafka.client.fetched_batches import open_consumer
from ledger.log.kafka.client.settings import KafkaSettings, reader_options
from ledger.log.kafka.reading.positions import position_of
from ledger.log.seam import LogRecord, LogUnavailable

_PATIENCE_SECONDS = 30.0
_POLL_MS = 200


class LastRecords(Struct, frozen=True, kw_only=True):
    """A topic's partition count, and its last committed records in order of their append time."""

    partition_count: int
    records: tuple[LogRecord, ...]


def last_records(settings: KafkaSettings, topic_name: str, count: int) -> LastRecords | None:
    """The last `count` records of a topic; None if the topic does not exist.

    Offsets have gaps where transactions ended. So each partition is read from earlier and earlier
    offsets until it gives enough records or has no more. Raises LogUnavailable.
    """
    consumer: Any = open_consumer(settings, reader_options(settings))
    try:
        partitions = ask(
            settings,
            f"partitions of {topic_name}",
            lambda: consumer.partitions_for_topic(topic_name),
        )
        if not partitions:
            return None
        places = [TopicPartition(topic_name, each) for each in sorted(partitions)]
        begins = consumer.beginning_offsets(places)
        ends = consumer.end_offsets(places)  # those of committed records
        found = [
            record
            for place in places
            for record in _last_of(consumer, place, begins[place], ends[place], count)
        ]
    except errors.KafkaError as error:
        raise LogUnavailable(f"reading {topic_name} at {settings.bootstrap}: {error!r}") from error
    finally:
        consumer.close(autocommit=False)
    found.sort(key=lambda each: (each.appended_at, each.partition, each.offset))
    return LastRecords(partition_count=len(places), records=tuple(found[-count:]))


def _last_of(
    consumer: Any, place: TopicPartition, begin: int, end: int, count: int
) -> list[LogRecord]:
    """1. Begin `count` offsets before the end. 2. If this gives too few records, begin again, twice
    as far before the end; from the first offset the result is complete.
    """
    back = count
    while True:
        start = max(begin, end - back)
        found = _between(consumer, place, start, end)
        if len(found) >= count or start == begin:
            return found[-count:]
        back *= 2


def _between(consumer: Any, place: TopicPartition, start: int, end: int) -> list[LogRecord]:
    consumer.assign([place])
    consumer.seek(place, start)
    found: list[LogRecord] = []
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (position := position_of(consumer, place, start)) < end:
        if time.monotonic() >= deadline:
            raise LogUnavailable(
                f"{place.topic}/{place.partition}: no records at {position}, although the end is "
                f"{end}; check the broker"
            )
        polled = consumer.poll(timeout_ms=_POLL_MS).get(place, ())
        found += [each for each in polled if each.offset < end]
    return found
