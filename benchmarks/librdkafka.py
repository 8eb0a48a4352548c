"""Logs whose reads or writes are librdkafka's (confluent-kafka), for measuring only.

They are the shortest code that works, without what makes a log safe: no check for a standstill, no
positions over the gaps of transactions, no fence of what hangs, no replaced producers. So they show
the most that could be gained. The library is no dependency of the project.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Sequence
from typing import Any

from consumers.deciding.decider import GROUP
from consumers.garbage import searched_afterwards
from ledger.log.kafka import KafkaLog, KafkaSettings
from ledger.log.seam import Batch, CommitResult, LogRecord, Outgoing, Topic

PATIENCE_SECONDS = 30.0
_APPEND_TIME = 2
_AT_ONCE = 4_000
_MISSING = (
    "confluent-kafka is not on the path: pip install --target FOLDER confluent-kafka==2.16.1, "
    "and run this program with PYTHONPATH=FOLDER"
)


def librdkafka() -> Any:
    """The library; ends the program if it is not there."""
    try:
        return importlib.import_module("confluent_kafka")
    except ModuleNotFoundError:
        raise SystemExit(_MISSING) from None


def open_reader(library: Any, settings: KafkaSettings) -> Any:
    """A consumer of committed records from given positions, in no group."""
    return library.Consumer(
        {
            "bootstrap.servers": settings.bootstrap,
            "group.id": "clients",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
        }
    )


def record_of(message: Any, headers: bool = True) -> LogRecord:
    """A record of ours. The headers are read here or never: the library reads all or none."""
    kind, milliseconds = message.timestamp()
    assert kind == _APPEND_TIME
    return LogRecord(
        partition=message.partition(),
        offset=message.offset(),
        appended_at=milliseconds * 1000,
        key=message.key(),
        value=message.value(),
        headers=(message.headers() or ()) if headers else (),
    )


class LibrdkafkaReads(KafkaLog):
    """The commands come from librdkafka, everything else is ours. One consumer for all partitions,
    none in a group; a poll gives what has been fetched.
    """

    def __init__(self, library: Any, settings: KafkaSettings) -> None:
        super().__init__(settings, GROUP, Topic.COMMANDS, "only")
        self._fetched: list[deque[LogRecord]] = [deque() for _ in range(settings.partition_count)]
        self._consumer = open_reader(library, settings)
        name = settings.topic_name(Topic.COMMANDS)
        self._places = [
            library.TopicPartition(name, each, 0) for each in range(settings.partition_count)
        ]
        self._reading = False

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        """Take part in the group, and fetch by the other library."""
        owned = super().owned(0.0 if self._reading else timeout_seconds)
        if not self._reading:
            return owned
        waiting = any(self._fetched)
        with searched_afterwards():
            for each in self._consumer.consume(_AT_ONCE, 0.0 if waiting else timeout_seconds):
                if each.error():
                    raise SystemExit(f"librdkafka: {each.error()}")
                self._fetched[each.partition()].append(record_of(each))
        return owned

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """What `owned` fetched; other topics by our reader."""
        if topic is not Topic.COMMANDS:
            return super().read(topic, partition, position, max_records, timeout_seconds)
        if not self._reading:  # it fetches ahead, so what it fetches before this is not measured
            self._reading = True
            self._consumer.assign(self._places)
        fetched = self._fetched[partition]
        records = tuple(fetched.popleft() for _ in range(min(max_records, len(fetched))))
        assert not records or records[0].offset == position
        return Batch(records=records, next_position=records[-1].offset + 1 if records else position)

    def close(self) -> None:
        """Both libraries."""
        self._consumer.close()
        super().close()


class _Writes:
    """Transactions of librdkafka, a producer for each partition."""

    def __init__(self, library: Any, settings: KafkaSettings) -> None:
        self._library, self._settings = library, settings
        self._producers: dict[int, Any] = {}
        self._next: dict[int, Any] = {}
        self._group: Any = library.Consumer(
            {"bootstrap.servers": settings.bootstrap, "group.id": settings.group_name(GROUP)}
        )
        self._names = {topic: settings.topic_name(topic) for topic in Topic}

    def fence(self, partition: int) -> None:
        """A producer of the partition's own."""
        producer = self._producers[partition] = self._library.Producer(
            {
                "bootstrap.servers": self._settings.bootstrap,
                "transactional.id": self._settings.group_name(f"clients-{partition}"),
                "linger.ms": 5,
                "queue.buffering.max.messages": 100_000,
            }
        )
        producer.init_transactions(PATIENCE_SECONDS)

    def begin(self, partition: int, records: Sequence[Outgoing], offset: int, text: str) -> None:
        """Give the records to its thread."""
        producer = self._producers[partition]
        producer.begin_transaction()
        produce, names = producer.produce, self._names
        for each in records:
            produce(
                names[each.topic],
                value=each.value,
                key=each.key,
                partition=each.partition,
                headers=list(each.headers),
            )
        place = self._library.TopicPartition(names[Topic.COMMANDS], partition, offset, text)
        self._next[partition] = place

    def finish(self, partition: int) -> CommitResult:
        """Commit; an error ends the program."""
        producer, group = self._producers[partition], self._group.consumer_group_metadata()
        producer.flush()
        producer.send_offsets_to_transaction([self._next[partition]], group, PATIENCE_SECONDS)
        producer.commit_transaction(PATIENCE_SECONDS)
        return CommitResult.OK

    def close(self) -> None:
        """Leave nothing open."""
        self._group.close()


class LibrdkafkaWrites(KafkaLog):
    """The transactions are librdkafka's, everything else is ours."""

    def __init__(self, library: Any, settings: KafkaSettings) -> None:
        super().__init__(settings, GROUP, Topic.COMMANDS, "only")
        self._other = _Writes(library, settings)

    def fence(self, partition: int) -> None:
        """By the other library."""
        self._other.fence(partition)

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """By the other library."""
        self._other.begin(partition, records, next_offset, metadata)

    def finish_commit(self, partition: int) -> CommitResult:
        """By the other library."""
        return self._other.finish(partition)

    def close(self) -> None:
        """Both libraries."""
        self._other.close()
        super().close()


class Librdkafka(LibrdkafkaReads):
    """Reads and writes by librdkafka; the membership of the group is ours."""

    def __init__(self, library: Any, settings: KafkaSettings) -> None:
        super().__init__(library, settings)
        self._other = _Writes(library, settings)

    fence = LibrdkafkaWrites.fence
    begin_commit = LibrdkafkaWrites.begin_commit
    finish_commit = LibrdkafkaWrites.finish_commit

    def close(self) -> None:
        """Both libraries."""
        self._other.close()
        super().close()
