"""Reads single records of the log by their position, one request at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ledger.log.kafka import KafkaSettings, KafkaTools
from ledger.log.seam import LogRecord, LogUnavailable, Topic
from ledger.wire.avro.codec import decode_event

_PATIENCE_SECONDS, _READ_SECONDS = 5.0, 2.0
_RECORDS, _STEPS = 2_000, 48


class LogRecords:
    """Connections are opened when first needed, kept, and opened anew after a fault."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._tools: KafkaTools | None = None
        self._reading = threading.Lock()

    def ends(self, topic: Topic) -> tuple[int, ...]:
        """Per partition the offset after the last record. Raises LogUnavailable."""
        with self._held() as tools:
            return tools.end_offsets(topic)

    def last(self, topic: Topic, count: int) -> list[LogRecord]:
        """The committed records among the last `count` offsets of each partition, the newest first.
        Raises LogUnavailable.
        """
        with self._held() as tools:
            found = [
                record
                for partition, end in enumerate(tools.end_offsets(topic))
                if end
                for record in tools.read(
                    topic, partition, max(0, end - count), count, _READ_SECONDS
                ).records
            ]
        return sorted(found, key=lambda each: each.appended_at, reverse=True)

    def at(
        self, topic: Topic, partition: int, offset: int, count: int = _RECORDS
    ) -> Sequence[LogRecord]:
        """Some committed records from an offset on, by one fetch; none where there is no such
        offset. Raises LogUnavailable.
        """
        with self._held() as tools:
            return _some(tools, topic, partition, offset, count)

    def between(self, topic: Topic, partition: int, start: int, until: int) -> list[LogRecord]:
        """The committed records from an offset to before another. Raises LogUnavailable."""
        found: list[LogRecord] = []
        with self._held() as tools:
            position = start
            while position < until:
                batch = tools.read(topic, partition, position, _RECORDS, _READ_SECONDS)
                found += [each for each in batch.records if each.offset < until]
                if batch.next_position <= position:
                    break
                position = batch.next_position
        return found

    def numbered(self, partition: int, log_sequence: int) -> Sequence[LogRecord]:
        """The event of a number in its partition, and some after it; none if it is not there.

        Ends of transactions have offsets too, so that an event's offset is at least its number. 1.
        Read there: the event found tells how many are still to pass. 2. Go on by as many. Each step
        leaves at most half of the way, where every transaction has a single event.
        """
        with self._held() as tools:
            position = log_sequence
            for _ in range(_STEPS):
                found = _some(tools, Topic.EVENTS, partition, position, _RECORDS)
                if not found:
                    return ()
                ahead = log_sequence - decode_event(found[0].value).meta.log_sequence
                if 0 <= ahead < len(found):
                    return found[ahead:]
                position = found[0].offset + ahead
            return ()

    def close(self) -> None:
        """Close all connections."""
        if self._tools is not None:
            self._tools.close()

    @contextmanager
    def _held(self) -> Iterator[KafkaTools]:
        if not self._reading.acquire(timeout=_PATIENCE_SECONDS):
            raise LogUnavailable("others wait for the brokers to answer; ask again later")
        try:
            if self._tools is None:
                self._tools = KafkaTools(self._settings)
            yield self._tools
        except LogUnavailable:
            self.close()
            self._tools = None
            raise
        finally:
            self._reading.release()


def _some(
    tools: KafkaTools, topic: Topic, partition: int, offset: int, count: int
) -> Sequence[LogRecord]:
    """An offset behind the end is none. Ends of transactions are passed by; where an open one is
    next, nothing is there yet.
    """
    if not 0 <= partition < tools.partition_count or offset < 0:
        return ()
    position, end = offset, tools.end_offsets(topic)[partition]
    while position < end:
        batch = tools.read(topic, partition, position, count, _READ_SECONDS)
        if batch.records or batch.next_position <= position:
            return batch.records
        position = batch.next_position
    return ()
