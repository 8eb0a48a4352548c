"""The log in memory: for the simulator and for tests, with the behaviour of the log on Kafka.

One `MemoryCluster` is the broker; each of its consumers is a `MemoryLog`. Like Kafka it leaves a
gap of one offset where a transaction ends, takes append times from its own clock, lets a later
owner of a partition fence an earlier one, and divides a source among a group's members. It has one
thread and never waits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from ledger.log.seam import (
    Batch,
    CommitResult,
    Committed,
    LogRecord,
    LogUnavailable,
    MemberReplaced,
    Outgoing,
    Published,
    Topic,
)
from ledger.values.instants import Instant


class MemoryCluster:
    """A broker with the three topics, empty. `clock` gives the append times."""

    def __init__(self, partition_count: int, clock: Callable[[], Instant]) -> None:
        if partition_count < 1:
            raise ValueError(f"partition_count {partition_count}: a topic has at least one")
        self._partition_count = partition_count
        self._clock = clock
        self._logs = {
            (topic, partition): _Partition(partition)
            for topic in Topic
            for partition in range(partition_count)
        }
        self._groups: dict[str, dict[str, MemoryLog]] = {}
        self._owners: dict[tuple[str, Topic, int], MemoryLog] = {}
        self._committed: dict[tuple[str, Topic, int], Committed] = {}
        self._lost_replies: list[bool] = []
        self._writers: dict[str, MemoryOnlyWriter] = {}

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        return self._partition_count

    def consumer(self, group: str, source: Topic, member_id: str = "only") -> MemoryLog:
        """Join `group`. Partitions are assigned round robin to the members in order of their names.
        A member that joins with a name that is in use replaces the earlier one.
        """
        member = MemoryLog(self, group, source, member_id)
        self._groups.setdefault(group, {})[member_id] = member
        return member

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """Append without a transaction, like upstream."""
        self._check(records)
        now = self._clock()
        return tuple(self._log(r.topic, r.partition).append(r, now) for r in records)

    def replay(self, topic: Topic, start: Sequence[int] | None = None) -> Iterator[LogRecord]:
        """Every record from `start` to the present end, partition after partition."""
        ends = self.end_offsets(topic)
        starts = start if start is not None else [0] * len(ends)
        return chain.from_iterable(
            self._log(topic, partition).between(first, end)
            for partition, (first, end) in enumerate(zip(starts, ends, strict=True))
        )

    def end_offsets(self, topic: Topic) -> tuple[int, ...]:
        """Per partition the offset after the last record or end of a transaction."""
        return tuple(self._log(topic, p).end for p in range(self._partition_count))

    def committed_offsets(self, group: str, topic: Topic) -> tuple[int | None, ...]:
        """Per partition the committed offset of a group; None where there is none."""
        found = (self._committed.get((group, topic, p)) for p in range(self._partition_count))
        return tuple(None if c is None else c.offset for c in found)

    def close(self) -> None:
        """Nothing to close."""

    def only_writer(self, name: str) -> MemoryOnlyWriter:
        """Become the only writer of a name."""
        writer = self._writers[name] = MemoryOnlyWriter(self, name)
        return writer

    def abort(self, records: Sequence[Outgoing]) -> None:
        """Simulate a transaction that wrote these records and was aborted: only gaps remain."""
        self._check(records)
        for record in records:
            self._log(record.topic, record.partition).end += 1
        self._end_transaction(records)

    def lose_next_reply(self, *, applied: bool) -> None:
        """Let the next commit return UNKNOWN, whether it was applied or not."""
        self._lost_replies.append(applied)

    def _log(self, topic: Topic, partition: int) -> _Partition:
        try:
            return self._logs[topic, partition]
        except KeyError:
            last = self._partition_count - 1
            raise ValueError(f"{topic}: no partition {partition}; it has 0..{last}") from None

    def _check(self, records: Sequence[Outgoing]) -> None:
        for record in records:
            self._log(record.topic, record.partition)

    def _apply(self, records: Sequence[Outgoing]) -> None:
        now = self._clock()
        for record in records:
            self._log(record.topic, record.partition).append(record, now)
        self._end_transaction(records)

    def _end_transaction(self, records: Sequence[Outgoing]) -> None:
        for topic, partition in {(r.topic, r.partition) for r in records}:
            self._log(topic, partition).end += 1


class MemoryLog:
    """One member of one consumer group on a `MemoryCluster`; satisfies `ledger.log.seam.Log`."""

    def __init__(self, cluster: MemoryCluster, group: str, source: Topic, member_id: str) -> None:
        self._cluster = cluster
        self._group = group
        self._source = source
        self._member_id = member_id
        self._begun: dict[int, CommitResult] = {}

    @property
    def source(self) -> Topic:
        """The topic this consumer reads and whose offsets it commits."""
        return self._source

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        return self._cluster.partition_count

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        """This member's present partitions of the source. Raises MemberReplaced."""
        members = self._cluster._groups[self._group]
        if members.get(self._member_id) is not self:
            raise MemberReplaced(
                f"group {self._group}: member {self._member_id} was replaced or has left; "
                "let this process end"
            )
        place = sorted(members).index(self._member_id)
        return frozenset(range(place, self.partition_count, len(members)))

    def fence(self, partition: int) -> None:
        """Become the only member that can commit the partition for this group."""
        self._cluster._log(self._source, partition)
        self._cluster._owners[self._group, self._source, partition] = self

    def committed(self, partition: int) -> Committed | None:
        """The group's committed offset of the source partition; None if there is none."""
        return self._cluster._committed.get((self._group, self._source, partition))

    def high_watermark(self, topic: Topic, partition: int) -> int:
        """The offset after the last record or end of a transaction."""
        return self._cluster._log(topic, partition).end

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """Up to `max_records` records from `position` on; never waits."""
        return self._cluster._log(topic, partition).read(position, max_records)

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """Write the records and the offset, both or neither. A partition must be fenced first."""
        self._begun[partition] = self._written(partition, records, next_offset, metadata)

    def finish_commit(self, partition: int) -> CommitResult:
        """The result."""
        return self._begun.pop(partition)

    def _written(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> CommitResult:
        cluster = self._cluster
        place = (self._group, self._source, partition)
        owner = cluster._owners.get(place)
        if owner is None:
            raise ValueError(f"{self._source}/{partition}: commit before fence")
        if owner is not self:
            return CommitResult.FENCED
        cluster._check(records)
        applied = cluster._lost_replies.pop(0) if cluster._lost_replies else None
        if applied is not False:
            cluster._apply(records)
            cluster._committed[place] = Committed(offset=next_offset, metadata=metadata)
        return CommitResult.OK if applied is None else CommitResult.UNKNOWN

    def close(self) -> None:
        """Leave the group: its partitions go to the other members."""
        members = self._cluster._groups[self._group]
        if members.get(self._member_id) is self:
            del members[self._member_id]


class MemoryOnlyWriter:
    """The only writer of a name on a `MemoryCluster`; satisfies `ledger.log.seam.OnlyWriter`."""

    def __init__(self, cluster: MemoryCluster, name: str) -> None:
        self._cluster = cluster
        self._name = name

    def await_settled(self, topic: Topic) -> None:
        """Returns at once: no transaction is ever open here."""

    def write(
        self,
        first: Sequence[Outgoing],
        then: Callable[[tuple[Published, ...]], Sequence[Outgoing]],
    ) -> tuple[Published, ...]:
        """Write both or neither."""
        cluster = self._cluster
        if cluster._writers[self._name] is not self:
            raise MemberReplaced(f"another process writes as {self._name} now")
        places = self._places(first)
        records = [*first, *then(places)]
        cluster._check(records)
        applied = cluster._lost_replies.pop(0) if cluster._lost_replies else None
        if applied is not False:
            cluster._apply(records)
        if applied is not None:
            raise LogUnavailable(f"{self._name}: no reply; read in the log whether it was written")
        return places

    def close(self) -> None:
        """Nothing to close."""

    def _places(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """The partitions and offsets that they will have."""
        now, found = self._cluster._clock(), list[Published]()
        ends: dict[tuple[Topic, int], int] = {}
        for record in records:
            place = (record.topic, record.partition)
            offset = ends.get(place, self._cluster._log(*place).end)
            ends[place] = offset + 1
            found.append(Published(partition=record.partition, offset=offset, appended_at=now))
        return tuple(found)


class _Partition:
    """One partition: records in order of offset, and the offset after the last one or its end."""

    __slots__ = ("_number", "_offsets", "_records", "end")

    def __init__(self, number: int) -> None:
        self._number = number
        self._records: list[LogRecord] = []
        self._offsets: list[int] = []
        self.end = 0

    def append(self, outgoing: Outgoing, now: Instant) -> Published:
        offset = self.end
        self._records.append(
            LogRecord(
                partition=self._number,
                offset=offset,
                appended_at=now,
                key=outgoing.key,
                value=outgoing.value,
                headers=outgoing.headers,
            )
        )
        self._offsets.append(offset)
        self.end = offset + 1
        return Published(partition=self._number, offset=offset, appended_at=now)

    def read(self, position: int, max_records: int) -> Batch:
        first = bisect_left(self._offsets, position)
        records = tuple(self._records[first : first + max_records])
        if first + len(records) == len(self._records):
            return Batch(records=records, next_position=max(position, self.end))
        return Batch(records=records, next_position=self._offsets[first + len(records)])

    def between(self, first: int, end: int) -> list[LogRecord]:
        low, high = bisect_left(self._offsets, first), bisect_left(self._offsets, end)
        return self._records[low:high]
