"""Reads any partition from any position, outside every group: for restores and replays."""

from __future__ import annotations

import time
from typing import Any

from kafka import TopicPartition, errors

from ledger.log.kafka.client.fetched_batches import open_consumer
from ledger.log.kafka.client.settings import KafkaSettings, reader_options
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.kafka.reading.positions import Standstill, position_of
from ledger.log.seam import Batch, LogUnavailable, Topic

_SLICE_SECONDS = 0.05


class PartitionReader:
    """One consumer, assigned to one partition at a time; committed records only."""

    def __init__(self, settings: KafkaSettings, offsets: Offsets) -> None:
        self._settings = settings
        self._standstill = Standstill(settings, offsets)
        self._consumer: Any = open_consumer(settings, reader_options(settings))
        self._at: tuple[TopicPartition, int] | None = None

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """Up to `max_records` from `position` on; returns as soon as there is progress."""
        place = TopicPartition(self._settings.topic_name(topic), partition)
        self._go_to(place, position)
        deadline = time.monotonic() + timeout_seconds
        try:
            while True:
                left = max(0.0, deadline - time.monotonic())
                wait_ms = int(min(left, _SLICE_SECONDS) * 1000)
                polled = self._consumer.poll(timeout_ms=wait_ms, max_records=max_records)
                next_position = position_of(self._consumer, place, position)
                if polled or next_position != position or left == 0.0:
                    break
                self._standstill.check(topic, {partition: next_position})
        except errors.KafkaError as error:
            self._at = None
            where = f"{place.topic}/{partition}@{position}"
            raise LogUnavailable(f"reading {where}: {error!r}") from error
        self._at = (place, next_position)
        return Batch(records=tuple(polled.get(place, ())), next_position=next_position)

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close(autocommit=False)

    def _go_to(self, place: TopicPartition, position: int) -> None:
        if self._at is None or self._at[0] != place:
            self._consumer.assign([place])
        if self._at != (place, position):
            self._consumer.seek(place, position)
            self._at = (place, position)
