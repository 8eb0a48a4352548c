"""The seam between the handlers and the log they stand on: what they may ask of it.

One `Log` is one consumer's hold: it reads one source topic as a member of one consumer group and
commits what it writes together with how far it has read. The decider and the reactions are written
against this protocol only, so the same handlers run on Kafka (`ledger.log.kafka`) and in memory
(`ledger.log.memory`); one contract suite holds both to the same behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum, auto
from typing import Protocol

from msgspec import Struct

from ledger.values.instants import Instant

Headers = tuple[tuple[str, bytes], ...]


class Topic(StrEnum):
    """The three topics. All are keyed by account id and have the same partition count."""

    COMMANDS = "refunds.commands.v1"
    EVENTS = "refunds.events.v1"
    DEAD_LETTERS = "refunds.dlq.v1"


class LogRecord(Struct, frozen=True, kw_only=True):
    """A record as it stands in the log. `appended_at` is the broker's append time (UTC micros)."""

    partition: int
    offset: int
    appended_at: Instant
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Published(Struct, frozen=True, kw_only=True):
    """Where a published record came to stand, and when (broker time, UTC micros)."""

    partition: int
    offset: int
    appended_at: Instant


class Outgoing(Struct, frozen=True, kw_only=True):
    """A record to be written. It goes to `partition`, whatever its key says."""

    topic: Topic
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Committed(Struct, frozen=True, kw_only=True):
    """How far a group has read a partition: the next offset to read, and the text beside it."""

    offset: int
    metadata: str = ""


class Batch(Struct, frozen=True, kw_only=True):
    """Records read from one partition, and the position to read on from.

    `next_position` may lie beyond the last record's offset + 1: a transactional topic has gaps.
    """

    records: tuple[LogRecord, ...]
    next_position: int


class LogUnavailable(Exception):
    """The log does not answer, or does not do what it must; the message says the next step."""


class WrongWorld(Exception):
    """The topics are not what a ledger may stand on; the message names each thing that differs."""


class MemberReplaced(Exception):
    """Another process joined the group under this member's name. The process must end."""


class CommitResult(Enum):
    """What is known after a commit. After UNKNOWN or FENCED the process must end (crash-only)."""

    OK = auto()
    UNKNOWN = auto()
    FENCED = auto()


class Log(Protocol):
    """One consumer's hold on the log. All reads are `read_committed`."""

    @property
    def source(self) -> Topic:
        """The topic this consumer reads and whose offsets it commits."""
        ...

    @property
    def partition_count(self) -> int:
        """Partitions of every topic; never changes in the life of a ledger."""
        ...

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        """The source partitions held now; waits up to the timeout for records or a rebalance."""
        ...

    def fence(self, partition: int) -> None:
        """End whatever an earlier owner of the partition left open, and shut it out for good."""
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
        """Up to `max_records` committed records from `position` on; empty if none came in time."""
        ...

    def commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> CommitResult:
        """Write the records and the source partition's offset in one transaction, all or none."""
        ...

    def close(self) -> None:
        """Leave the group and let go of every connection."""
        ...


class LogTools(Protocol):
    """What those outside any consumer group need: to publish, to replay, to measure the lag."""

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        ...

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """Append without a transaction, in order per partition; returns once all are acked."""
        ...

    def replay(self, topic: Topic, start: Sequence[int] | None = None) -> Iterator[LogRecord]:
        """Every committed record from `start` (an offset per partition; None: from the first) to
        the end as it stands at the call. In order within a partition, not between partitions.
        """
        ...

    def end_offsets(self, topic: Topic) -> tuple[int, ...]:
        """Per partition the offset after the last record, open transactions included."""
        ...

    def committed_offsets(self, group: str, topic: Topic) -> tuple[int | None, ...]:
        """Per partition the stable committed offset of a group; None where there is none."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


class OnlyWriter(Protocol):
    """The one writer under a name, in no group. Opening it shuts out each earlier one of its name,
    and ends what that left open.
    """

    def await_settled(self, topic: Topic) -> None:
        """Wait until every transaction now open in the topic has ended, so that a replay begun
        after this shows all that was written before. Raises LogUnavailable.
        """
        ...

    def write(
        self,
        first: Sequence[Outgoing],
        then: Callable[[tuple[Published, ...]], Sequence[Outgoing]],
    ) -> tuple[Published, ...]:
        """In one transaction, all or none: the records of `first`, then those that `then` makes of
        where the first came to stand; their places. Raises LogUnavailable where it is not known
        whether they were written, MemberReplaced where a namesake has taken over: close it then.
        """
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


class EventSource(Protocol):
    """A plain reader of every partition of the events at once, in no group; committed records only.

    It holds no position but the caller's.
    """

    @property
    def topic_id(self) -> str:
        """The topic's own id: one deleted and made again under its name has another."""
        ...

    def ends(self) -> tuple[int, ...]:
        """Per partition the offset after the last record, open transactions included."""
        ...

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> Mapping[int, Batch]:
        """Up to `max_records` records in all from these positions on, by partition; partitions
        without progress are left out. Empty if nothing came in time.
        """
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...
