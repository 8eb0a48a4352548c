"""The interface between the handlers and the log.

One `Log` belongs to one consumer: it reads one source topic as a member of one consumer group, and
commits its records together with its read position. The decider and the reactions use only this
protocol, so the same handlers run on Kafka (`ledger.log.kafka`) and in memory
(`ledger.log.memory`). One test suite checks that both behave alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum, auto
from typing import Final, Protocol

from msgspec import Struct

from ledger.values.instants import Instant

Headers = Sequence[tuple[str, bytes]]
FAR: Final = 1 << 62
"""An offset behind every record."""


class Topic(StrEnum):
    """The three topics. All are keyed by account id and have the same partition count."""

    COMMANDS = "refunds.commands.v1"
    EVENTS = "refunds.events.v1"
    DEAD_LETTERS = "refunds.dlq.v1"


class LogRecord(Struct, frozen=True, kw_only=True):
    """A record of the log. `appended_at` is the broker's append time (UTC micros)."""

    partition: int
    offset: int
    appended_at: Instant
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Published(Struct, frozen=True, kw_only=True):
    """The position of a published record, and its append time (broker time, UTC micros)."""

    partition: int
    offset: int
    appended_at: Instant


class Outgoing(Struct, frozen=True, kw_only=True):
    """A record to be written. It is written to `partition`, whatever its key is."""

    topic: Topic
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Committed(Struct, frozen=True, kw_only=True):
    """A group's committed position in a partition: the next offset to read, and its metadata."""

    offset: int
    metadata: str = ""


class Batch(Struct, frozen=True, kw_only=True):
    """Records read from one partition, and the position to continue from.

    `next_position` can be after the last record's offset + 1: a transactional topic has gaps.
    """

    records: tuple[LogRecord, ...]
    next_position: int


class LogUnavailable(Exception):
    """The log does not answer, or does not work as required; the message says the next step."""


class WrongWorld(Exception):
    """The topics have wrong settings for a ledger; the message names each difference."""


class MemberReplaced(Exception):
    """Another process joined the group under this member's name. The process must end."""


class CommitResult(Enum):
    """The known result of a commit. After UNKNOWN or FENCED the process must end (crash-only)."""

    OK = auto()
    UNKNOWN = auto()
    FENCED = auto()


class Log(Protocol):
    """The log for one consumer. All reads are `read_committed`."""

    @property
    def source(self) -> Topic:
        """The topic this consumer reads and whose offsets it commits."""
        ...

    @property
    def partition_count(self) -> int:
        """The partition count of every topic; it never changes in a ledger."""
        ...

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        """The source partitions held now; waits up to the timeout for records or a rebalance."""
        ...

    def fence(self, partition: int) -> None:
        """Fence earlier owners of the partition permanently, and end their open transactions."""
        ...

    def committed(self, partition: int) -> Committed | None:
        """The group's stable committed offset of the source partition; None if there is none."""
        ...

    def high_watermark(self, topic: Topic, partition: int) -> int:
        """The offset after the last record, open transactions included."""
        ...

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """Up to `max_records` committed records from `position` on; none after a timeout."""
        ...

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """Begin to write the records and the source partition's offset in one transaction, all or
        none. It may be committed from now on.
        """
        ...

    def finish_commit(self, partition: int) -> CommitResult:
        """Wait for the result of the partition's transaction that was begun. Before the next
        `owned` every transaction must be finished.
        """
        ...

    def close(self) -> None:
        """Leave the group and close all connections."""
        ...


class LogTools(Protocol):
    """The log without a consumer group: publishing, replaying, measuring the lag."""

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        ...

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """Append without a transaction, in order per partition; returns when all are acked."""
        ...

    def replay(self, topic: Topic, start: Sequence[int] | None = None) -> Iterator[LogRecord]:
        """Every committed record from `start` (an offset per partition; None: from the first) to
        the end at the time of the call. In order within a partition, not between partitions.
        """
        ...

    def end_offsets(self, topic: Topic) -> tuple[int, ...]:
        """Per partition the offset after the last record, open transactions included."""
        ...

    def committed_offsets(self, group: str, topic: Topic) -> tuple[int | None, ...]:
        """Per partition the stable committed offset of a group; None where there is none."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class OnlyWriter(Protocol):
    """The only writer of a name, in no group. Opening it fences all earlier writers of the name and
    ends their open transactions.
    """

    def await_settled(self, topic: Topic) -> None:
        """Wait until every transaction that is now open in the topic has ended, so that a later
        replay shows everything that was written before. Raises LogUnavailable.
        """
        ...

    def write(
        self,
        first: Sequence[Outgoing],
        then: Callable[[tuple[Published, ...]], Sequence[Outgoing]],
    ) -> tuple[Published, ...]:
        """Write in one transaction, all or none: the records of `first`, then those that `then`
        makes from the positions of the first. Returns all positions. Raises LogUnavailable if it is
        not known whether they were written, and MemberReplaced if another writer of the name has
        taken over. After an error, close this writer.
        """
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class EventSource(Protocol):
    """A reader of all partitions of the events together, in no group; committed records only.

    It has no position of its own: the caller gives it.
    """

    @property
    def topic_id(self) -> str:
        """The topic id: a topic that was deleted and created again has another one."""
        ...

    def ends(self) -> tuple[int, ...]:
        """Per partition the offset after the last record, open transactions included."""
        ...

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> Mapping[int, Batch]:
        """Up to `max_records` records in total from these positions on, by partition. Partitions
        without progress are left out; empty after a timeout without records.
        """
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


def only(tools: LogTools, partition: int, start: int = 0) -> list[int]:
    """Where a replay begins in each partition to read one alone, from `start` on."""
    return [start if each == partition else FAR for each in range(tools.partition_count)]
