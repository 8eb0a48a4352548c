"""Reading all partitions of a topic at once, outside every group, from where the caller stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka import KafkaConsumer, TopicPartition, errors

from ledger.log.kafka.client.connection import open_client
from ledger.log.kafka.client.records import log_record
from ledger.log.kafka.client.settings import KafkaSettings, reader_options
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.kafka.reading.positions import Standstill, position_of
from ledger.log.kafka.topics import verify_world
from ledger.log.seam import Batch, LogUnavailable, Topic


class TopicTail:
    """A reader that holds no position but the caller's. The world is verified when it opens.

    Raises LogUnavailable, and WrongWorld where the topics are not as they must be.
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
        self._consumer: Any = open_client(KafkaConsumer, settings, reader_options(settings))
        self._consumer.assign(self._places)
        self._positions: dict[int, int] = {}

    @property
    def topic_id(self) -> str:
        """The topic's own id."""
        return self._topic_id

    def ends(self) -> tuple[int, ...]:
        """Per partition the high watermark."""
        ends = self._offsets.ends(self._topic, [place.partition for place in self._places])
        return tuple(ends[place.partition] for place in self._places)

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> dict[int, Batch]:
        """Up to `max_records` in all; comes back as soon as there are any.

        Raises LogUnavailable; the next call begins where its caller says, as every one does.
        """
        try:
            self._go_to(positions)
            polled = self._consumer.poll(
                timeout_ms=int(timeout_seconds * 1000), max_records=max_records
            )
        except errors.KafkaError as error:
            self._positions = {}
            raise LogUnavailable(f"reading {self._topic}: {error!r}") from error
        reached = {
            place.partition: position_of(self._consumer, place, positions[place.partition])
            for place in self._places
        }
        if not polled:
            self._positions = {}
            self._standstill.check(self._topic, reached)
        self._positions = reached
        records = {place.partition: found for place, found in polled.items()}
        return {
            partition: Batch(
                records=tuple(log_record(found) for found in records.get(partition, ())),
                next_position=position,
            )
            for partition, position in reached.items()
            if position != positions[partition]
        }

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close(autocommit=False)
        self._offsets.close()

    def _go_to(self, positions: Mapping[int, int]) -> None:
        for place in self._places:
            position = positions[place.partition]
            if self._positions.get(place.partition) != position:
                self._consumer.seek(place, position)
