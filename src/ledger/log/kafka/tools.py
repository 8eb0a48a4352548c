"""Kafka without a consumer group: publishing, replaying, and measuring the lag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kafka import KafkaProducer, errors

from ledger.log.kafka.client.connection import close_producer, open_client
from ledger.log.kafka.client.records import check_outgoing, send_all
from ledger.log.kafka.client.settings import KafkaSettings, producer_options
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.kafka.reading.partition_reader import PartitionReader
from ledger.log.seam import Batch, LogRecord, LogUnavailable, Outgoing, Published, Topic

_IN_FLIGHT_RECORDS = 5_000
_READ_SECONDS = 5.0
_PATIENCE = 12


class KafkaTools:
    """Satisfies `ledger.log.seam.LogTools`. Connections are opened when first needed, and kept."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._partitions = list(range(settings.partition_count))
        self._producer: Any = None
        self._readers: dict[Topic, PartitionReader] = {}
        self._offsets: Offsets | None = None

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        return self._settings.partition_count

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """Append without a transaction; the client retries until its delivery timeout.

        Raises LogUnavailable with the number of records that were certainly written. Any of the
        others may have been written too, so publish only records again that are recognised as
        duplicates.
        """
        check_outgoing(self._settings, records)
        if self._producer is None:
            options = producer_options(self._settings)
            self._producer = open_client(KafkaProducer, self._settings, options)
        published: list[Published] = []
        for start in range(0, len(records), _IN_FLIGHT_RECORDS):
            self._publish_some(records[start : start + _IN_FLIGHT_RECORDS], published)
        return tuple(published)

    def replay(self, topic: Topic, start: Sequence[int] | None = None) -> Iterator[LogRecord]:
        """Partition after partition, up to the last stable offset at the time of the call."""
        ends = self._offset_reads().stable_ends(topic, self._partitions)
        starts = start if start is not None else [0] * len(ends)
        return self._replay(topic, starts, ends)

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """Up to `max_records` committed records from `position` on; none after a timeout."""
        return self._reader(topic).read(topic, partition, position, max_records, timeout_seconds)

    def end_offsets(self, topic: Topic) -> tuple[int, ...]:
        """The high watermark of each partition."""
        ends = self._offset_reads().ends(topic, self._partitions)
        return tuple(ends[p] for p in self._partitions)

    def committed_offsets(self, group: str, topic: Topic) -> tuple[int | None, ...]:
        """The committed offset of a group for each partition; None if there is none."""
        offsets = self._offset_reads().committed(group, topic)
        return tuple(offsets.get(p) for p in self._partitions)

    def close(self) -> None:
        """Close all connections."""
        self._close_producer(self._settings.request_timeout_ms / 1000)
        for reader in self._readers.values():
            reader.close()
        if self._offsets is not None:
            self._offsets.close()

    def _publish_some(self, records: Sequence[Outgoing], published: list[Published]) -> None:
        try:
            futures = send_all(self._producer, self._settings, records)
            self._producer.flush(timeout=self._settings.delivery_timeout_ms / 1000 + 1)
            for future in futures:
                acked = future.get(timeout=0)
                published.append(
                    Published(
                        partition=acked.partition,
                        offset=acked.offset,
                        appended_at=acked.timestamp * 1000,
                    )
                )
        except errors.KafkaError as error:
            # A failed producer must not send again: its unsent records must not arrive late.
            self._close_producer(0.0)
            step = _next_step(error, records)
            raise LogUnavailable(
                f"{self._settings.bootstrap} accepted {len(published)} records and then failed: "
                f"{error!r}; {step}"
            ) from error

    def _close_producer(self, timeout_seconds: float) -> None:
        if self._producer is not None:
            close_producer(self._producer, timeout_seconds)
            self._producer = None

    def _replay(
        self, topic: Topic, starts: Sequence[int], ends: dict[int, int]
    ) -> Iterator[LogRecord]:
        reader = self._reader(topic)
        for partition, first in zip(self._partitions, starts, strict=True):
            position, end, idle = first, ends[partition], 0
            while position < end:
                batch = reader.read(topic, partition, position, 5_000, _READ_SECONDS)
                idle = 0 if batch.next_position > position else idle + 1
                if idle == _PATIENCE:
                    raise LogUnavailable(
                        f"{topic}/{partition}: no records at {position}, although the end is "
                        f"{end}; check the broker"
                    )
                yield from (r for r in batch.records if r.offset < end)
                position = batch.next_position

    def _reader(self, topic: Topic) -> PartitionReader:
        """One for each topic: a reader that goes to another topic drops what it has fetched."""
        if topic not in self._readers:
            self._readers[topic] = PartitionReader(self._settings, self._offset_reads())
        return self._readers[topic]

    def _offset_reads(self) -> Offsets:
        if self._offsets is None:
            self._offsets = Offsets(self._settings)
        return self._offsets


def _next_step(error: errors.KafkaError, records: Sequence[Outgoing]) -> str:
    # The client wraps what the brokers say to a new producer into an error without a class.
    if isinstance(error, errors.AuthorizationError) or "AuthorizationFailedError" in str(error):
        topics = ", ".join(sorted({record.topic.value for record in records}))
        return f"this principal may not write to {topics}: connect as one that may"
    return "check the broker and publish the rest again"
