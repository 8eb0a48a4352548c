"""What the contract suite asks of a log: consumers, tools, and an aborted transaction."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from kafka import KafkaProducer

from ledger.log.kafka import KafkaLog, KafkaOnlyWriter, KafkaSettings, KafkaTools, create_topics
from ledger.log.kafka.client.records import send_all
from ledger.log.kafka.client.settings import transactional_options
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.memory import MemoryCluster
from ledger.log.seam import CommitResult, Log, LogRecord, LogTools, OnlyWriter, Outgoing, Topic
from tests.services import security
from tests.waiting import wait_until

PARTITIONS = 3


class World(Protocol):
    """A fresh set of topics on one implementation."""

    @property
    def tools(self) -> LogTools: ...

    def consumer(self, group: str, source: Topic, member_id: str = "only") -> Log: ...

    def only_writer(self, name: str) -> OnlyWriter: ...

    def abort(self, records: Sequence[Outgoing]) -> None: ...
    def settle(self, topic: Topic, partition: int) -> None: ...


class MemoryWorld:
    """The contract's world in memory; its clock counts microseconds from 1."""

    def __init__(self) -> None:
        self._now = 0
        self.tools = MemoryCluster(PARTITIONS, self._tick)

    def consumer(self, group: str, source: Topic, member_id: str = "only") -> Log:
        return self.tools.consumer(group, source, member_id)

    def only_writer(self, name: str) -> OnlyWriter:
        return self.tools.only_writer(name)

    def abort(self, records: Sequence[Outgoing]) -> None:
        self.tools.abort(records)

    def settle(self, topic: Topic, partition: int) -> None:
        """In memory a transaction is over when it is ended."""

    def close(self) -> None:
        pass

    def _tick(self) -> int:
        self._now += 1
        return self._now


class KafkaWorld:
    """The contract's world on a real broker, under topic names of its own."""

    def __init__(self, bootstrap: str) -> None:
        self.settings = KafkaSettings(
            bootstrap=bootstrap,
            partition_count=PARTITIONS,
            prefix=f"t{uuid4().hex[:10]}.",
            security=security(),
        )
        self.topic_ids = create_topics(self.settings)
        self.tools = KafkaTools(self.settings)
        self.hung: list[str] = []
        self._logs: list[KafkaLog] = []
        self._writers: list[KafkaOnlyWriter] = []

    def consumer(
        self, group: str, source: Topic, member_id: str = "only", **changes: int
    ) -> KafkaLog:
        settings = msgspec.structs.replace(self.settings, **changes)
        log = KafkaLog(settings, group, source, member_id, on_hang=self.hung.append)
        self._logs.append(log)
        return log

    def only_writer(self, name: str) -> KafkaOnlyWriter:
        writer = KafkaOnlyWriter(self.settings, name, on_hang=self.hung.append)
        self._writers.append(writer)
        return writer

    def abort(self, records: Sequence[Outgoing]) -> None:
        producer = self.leave_open("aborting", records)
        producer.abort_transaction()
        producer.close()
        for topic, partition in {(record.topic, record.partition) for record in records}:
            self.settle(topic, partition)

    def settle(self, topic: Topic, partition: int) -> None:
        """Wait until the markers of all ended transactions are written.

        The broker answers the end of a transaction before it has written them.
        """
        offsets = Offsets(self.settings)
        asked = (topic, [partition])
        wait_until(
            lambda: offsets.stable_ends(*asked) == offsets.ends(*asked),
            f"the last transaction of {topic}/{partition} is over",
        )
        offsets.close()

    def leave_open(self, transactional_id: str, records: Sequence[Outgoing]) -> Any:
        """A producer that has written the records in a transaction it has not ended."""
        options = transactional_options(self.settings, self.settings.prefix + transactional_id)
        producer = KafkaProducer(**options)
        producer.init_transactions()
        producer.begin_transaction()
        send_all(producer, self.settings, records)
        producer.flush()
        return producer

    def close(self) -> None:
        for writer in self._writers:
            writer.close()
        for log in self._logs:
            log.close()
        self.tools.close()
        assert self.hung == []


def command(value: bytes, partition: int = 0) -> Outgoing:
    return Outgoing(topic=Topic.COMMANDS, partition=partition, key=b"acc", value=value)


def event(value: bytes, partition: int = 0) -> Outgoing:
    return Outgoing(topic=Topic.EVENTS, partition=partition, key=b"acc", value=value)


def commit(
    log: Log, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
) -> CommitResult:
    """Begin and finish."""
    log.begin_commit(partition, records, next_offset, metadata)
    return log.finish_commit(partition)


def read_all(log: Log, topic: Topic, partition: int, position: int = 0) -> list[LogRecord]:
    """Everything from `position` to the high watermark; fails when it cannot be reached."""
    end = log.high_watermark(topic, partition)
    records: list[LogRecord] = []
    for _ in range(200):
        if position >= end:
            return records
        batch = log.read(topic, partition, position, 1000, 1.0)
        records.extend(batch.records)
        position = batch.next_position
    raise AssertionError(f"{topic}/{partition}: stuck at {position}, end {end}")


def await_owned(logs: Sequence[Log], wanted: Sequence[set[int] | int]) -> list[frozenset[int]]:
    """Poll all members at once until each owns what is wanted: a set of partitions or a number.

    Each polls in a thread of its own, as each would in a process of its own: where one waits for a
    round to be through, the others must take part.
    """
    shares: list[frozenset[int] | None] = [None] * len(logs)
    enough = threading.Event()

    def poll(place: int) -> None:
        while not enough.is_set():
            shares[place] = logs[place].owned(0.1)
            if all(map(_is_wanted, shares, wanted)):
                enough.set()

    with ThreadPoolExecutor(len(logs)) as pool:
        futures = [pool.submit(poll, place) for place in range(len(logs))]
        wait(futures, timeout=60, return_when=FIRST_EXCEPTION)
        enough.set()
    for future in futures:
        future.result()
    assert all(map(_is_wanted, shares, wanted)), f"wanted shares {wanted}, last seen {shares}"
    return [share for share in shares if share is not None]


def _is_wanted(share: frozenset[int] | None, want: set[int] | int) -> bool:
    if share is None:
        return False
    return len(share) == want if isinstance(want, int) else share == want
