"""Reads all partitions of a topic, outside every group, from the caller's positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka import TopicPartition, errors

from ledger.log.kafka.client.fetched_batches import open_consumer
from ledger.log.kafka.client.records import Fetched
from ledger.log.kafka.client.settings import KafkaSettings, reader_options
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.kafka.reading.positions import Standstill, position_of
from ledger.log.kafka.topics import verify_world
from ledger.log.seam import Batch, LogUnavailable, Topic


class TopicTail:
    """A reader without its own position: the caller gives it. Opening it verifies the topics.

    Raises LogUnavailable, and WrongWorld if the topics have wrong settings.
    """

    def __init__(self, settings: KafkaSettings, topic: Topic) -> None:
        self._settings = settings
        self._topic = topic
        self._topic_id = str(verify_world(settings)[topic])
        self._places = [
            TopicPartition(settings.topic_name(topic), partition)
            for partition in range(settings.partition_count)
        ]
        self._offsets = Offsets(settings)
        self._standstill = Standstill(settings, self._offsets)
        self._consumer: Any = open_consumer(settings, reader_options(settings))
        self._consumer.assign(self._places)
        self._fetched: dict[int, Fetched] = {}

    @property
    def topic_id(self) -> str:
        """The topic id."""
        return self._topic_id

    def ends(self) -> tuple[int, ...]:
        """The high watermark of each partition."""
        ends = self._offsets.ends(self._topic, [place.partition for place in self._places])
        return tuple(ends[place.partition] for place in self._places)

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> dict[int, Batch]:
        """Up to `max_records` in total, the same number from each partition if it has enough;
        returns as soon as there are any.

        Raises LogUnavailable; the next call begins at its caller's positions, like every call.
        """
        try:
            self._go_to(positions)
            buffered = [len(fetched) for fetched in self._fetched.values()]
            if not all(buffered) and sum(buffered) < self._settings.max_buffered_records:
                self._poll(0.0 if any(buffered) else timeout_seconds)
        except errors.KafkaError as error:
            self._fetched.clear()
            raise LogUnavailable(f"reading {self._topic}: {error!r}") from error
        batches = self._share_out(max_records)
        return {p: batch for p, batch in batches.items() if batch.next_position != positions[p]}

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close(autocommit=False)
        self._offsets.close()

    def _go_to(self, positions: Mapping[int, int]) -> None:
        for place in self._places:
            position = positions[place.partition]
            fetched = self._fetched.get(place.partition)
            if fetched is None or fetched.position != position:
                self._consumer.seek(place, position)
                self._fetched[place.partition] = Fetched(position)

    def _poll(self, timeout_seconds: float) -> None:
        polled = self._consumer.poll(timeout_ms=int(timeout_seconds * 1000))
        for place, records in polled.items():
            self._fetched[place.partition].add(records)
        if not any(self._fetched.values()):
            reached = {place.partition: self._position(place) for place in self._places}
            self._standstill.check(self._topic, reached)

    def _share_out(self, max_records: int) -> dict[int, Batch]:
        """If a partition has few records, the others get the rest of its share."""
        batches: dict[int, Batch] = {}
        left = max_records
        for place in sorted(self._places, key=lambda each: len(self._fetched[each.partition])):
            share = left // (len(self._places) - len(batches))
            batch = self._fetched[place.partition].take(share, self._position(place))
            batches[place.partition] = batch
            left -= len(batch.records)
        return batches

    def _position(self, place: TopicPartition) -> int:
        return position_of(self._consumer, place, self._fetched[place.partition].position)
