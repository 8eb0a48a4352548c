"""The log as one process sees it: reads, commits through the real writer, and plain publishing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from kafka import IsolationLevel, TopicPartition, errors
from kafka.admin import (
    PartitionProducerState,
    ProducerState,
    TransactionDescription,
    TransactionListing,
)
from msgspec import Struct

from ledger.log.kafka.writing.hanging_transactions import HangingTransactions
from ledger.log.kafka.writing.transaction import fence
from ledger.log.kafka.writing.transactional_writer import TransactionalWriter
from ledger.log.seam import (
    Batch,
    CommitResult,
    Committed,
    LogRecord,
    LogUnavailable,
    Outgoing,
    Published,
    Topic,
)
from tests.simulation.client import Membership, SimulatedRequests, Task
from tests.simulation.groups import Group

if TYPE_CHECKING:
    from tests.simulation.scheduler import Process
    from tests.simulation.world import World

_PATIENCE_TICKS = 1_000
_TOPICS = {topic.value for topic in Topic}


class SimulatedLog:
    """A member of a group; satisfies `ledger.log.seam.Log` as `ledger.log.kafka.KafkaLog` does."""

    def __init__(self, world: World, process: Process, group: Group, source: Topic) -> None:
        self._world = world
        self._group = group
        self._source = source
        self._member = group.join(process)
        self._generation = -1
        self._writers: dict[int, TransactionalWriter] = {}
        self._lost: set[int] = set()
        self._hanging = SimulatedHanging(world)
        self._requests = SimulatedRequests(world)

    @property
    def source(self) -> Topic:
        """The topic this consumer reads."""
        return self._source

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        return self._world.broker.partition_count

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        """The partitions held. One lost and regained meanwhile is left out once, and one whose last
        transaction hangs.
        """
        self._world.pause("poll", self._group.name, rest=timeout_seconds > 0)
        held, lost = self._group.sync(self._member)
        self._generation = self._member.generation
        for partition in lost:
            self._drop_writer(partition)
        stuck = self._hanging.look(
            {number: writer.producer_id for number, writer in self._writers.items()},
            [TopicPartition(self._source, number) for number in held],
        )
        for partition in stuck:
            self._drop_writer(partition)
        return held - stuck

    def fence(self, partition: int) -> None:
        """A new epoch of the partition's transactional id."""
        self._drop_writer(partition)
        place = TopicPartition(self._source, partition)
        self._writers[partition] = TransactionalWriter(
            self._world.settings,
            self._group.name,
            place,
            self._requests,
            lambda: self.committed(partition),
            self._hanging,
            _unguarded,
            lambda: float(self._world.scheduler.tick),
        )
        self._lost.discard(partition)

    def committed(self, partition: int) -> Committed | None:
        """The group's stable offset; waits for a transaction that carries one."""
        place = (self._group.name, partition)
        self._world.pause("ask for the offset of", place)
        self._wait(lambda: self._world.broker.stable(place), "a stable offset")
        return self._world.broker.committed.get(place)

    def high_watermark(self, topic: Topic, partition: int) -> int:
        """The offset after the last record, open transactions included."""
        self._world.pause("ask for the end of", topic, partition)
        return self._world.broker.partitions[topic, partition].end

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """Committed records, not always as many as there are."""
        self._world.pause("read", topic, partition, "from", position)
        found = self._world.broker.partitions[topic, partition]
        if timeout_seconds > 0:
            self._wait(lambda: found.stable_end > position, "records")
        return found.read(position, self._world.fetch_size(max_records))

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """One transaction; see `ledger.log.kafka.writing.transactional_writer`."""
        if partition in self._lost:
            return
        identity = Membership(group=self._group, member=self._member, generation=self._generation)
        self._writers[partition].begin(records, next_offset, metadata, identity)
        self._world.pause("begun: commit at", next_offset, "of", len(records), "records")

    def finish_commit(self, partition: int) -> CommitResult:
        """What came of it."""
        if partition in self._lost:
            return CommitResult.FENCED
        result = self._writers[partition].finish()
        self._world.commits += result is CommitResult.OK
        self._world.pause("commit of partition", partition, result.name)
        return result

    def close(self) -> None:
        """Leave the group."""
        self._world.pause("leave")
        self._group.leave(self._member)

    def _drop_writer(self, partition: int) -> None:
        if self._writers.pop(partition, None) is not None:
            self._lost.add(partition)

    def _wait(self, until: Callable[[], bool], what: str) -> None:
        """Raises LogUnavailable where it takes too long, as the client's timeouts do."""
        give_up = self._world.scheduler.tick + _PATIENCE_TICKS
        while not until():
            self._world.pause("wait for", what, rest=True)
            if self._world.scheduler.tick > give_up:
                raise LogUnavailable(f"waited in vain for {what}")


class SimulatedHanging(HangingTransactions):
    """Finds them as the real one does; what that asks of the coordinator's log is in the broker."""

    def __init__(self, world: World) -> None:
        self._world = world
        super().__init__(
            world.settings,
            SimulatedAdmin(world),
            lambda: world.seconds,
            lambda _: world.pause("wait for the end of the last transaction"),
        )

    def end(self, transactional_id: str, producer_id: int, epoch: int | None) -> None:
        """Marker by marker; what the broker calls hanging is never alive."""
        self._world.pause("look for what hangs under", transactional_id)
        while self._world.broker.end_hanging(producer_id):
            self._world.pause("end what hangs under", transactional_id)

    def _fence(self, transactional_id: str) -> tuple[int, int]:
        work = fence(self._settings, SimulatedRequests(self._world), transactional_id)
        try:
            identity = Task(work).result(0)
        except errors.KafkaError as error:
            raise LogUnavailable(f"fence of {transactional_id}: {error!r}") from error
        return identity.producer_id, identity.epoch


class SimulatedAdmin:
    """What the brokers say of open transactions, to `hanging_transactions`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def describe_topics(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The partitions of each topic; the offsets have one."""
        count = self._world.broker.partition_count
        numbers = {name: range(count if name in _TOPICS else 1) for name in names}
        return [
            {"name": name, "partitions": [{"partition_index": number} for number in numbers[name]]}
            for name in names
        ]

    def list_partition_offsets(
        self, places: Iterable[TopicPartition], isolation_level: IsolationLevel
    ) -> dict[TopicPartition, OffsetSpecResult]:
        """Nothing but whether anything is open counts here."""
        committed = isolation_level is IsolationLevel.READ_COMMITTED
        return {
            place: OffsetSpecResult(offset=0 if committed and self._open(place) else 1)
            for place in places
        }

    def describe_producers(
        self, places: Sequence[TopicPartition]
    ) -> dict[TopicPartition, PartitionProducerState]:
        """Who has what open where; the epochs play no part here."""
        return {
            place: PartitionProducerState(
                [ProducerState(given, 0, 0, 0, 0, since) for given, since in self._open(place)]
            )
            for place in places
        }

    def list_transactions(
        self, producer_id_filters: Sequence[int]
    ) -> dict[int, list[TransactionListing]]:
        """What their coordinator knows of them."""
        known = map(self._world.broker.state_of, producer_id_filters)
        return {0: [TransactionListing(*each) for each in known]}

    def describe_transactions(self, names: Sequence[str]) -> dict[str, TransactionDescription]:
        """The state alone."""
        found = {name: self._world.broker.known_as(name) for name in names}
        return {
            name: TransactionDescription(
                0, self._world.broker.state_of(given)[2], given, 0, 0, 0, set()
            )
            for name, given in found.items()
        }

    def _open(self, place: TopicPartition) -> list[tuple[int, int]]:
        found = (Topic(place.topic), place.partition) if place.topic in _TOPICS else None
        return list(self._world.broker.open_since(found))


class OffsetSpecResult(Struct, frozen=True, kw_only=True):
    """An offset that was asked for."""

    offset: int


class SimulatedSource:
    """All partitions of the events at once; satisfies `ledger.log.seam.EventSource`."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def topic_id(self) -> str:
        """The id of the events topic."""
        return self._world.events_topic_id

    def ends(self) -> tuple[int, ...]:
        """The high watermarks."""
        self._world.pause("ask for the ends of the events")
        return self._world.ends(Topic.EVENTS)

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> Mapping[int, Batch]:
        """What is new of some partition."""
        self._world.pause("read the events from", positions, rest=timeout_seconds > 0)
        found = {}
        for partition, position in positions.items():
            of_partition = self._world.broker.partitions[Topic.EVENTS, partition]
            batch = of_partition.read(position, self._world.fetch_size(max_records))
            if batch.next_position != position:
                found[partition] = batch
        return found

    def close(self) -> None:
        """Nothing to let go of."""


class SimulatedTools:
    """Publishing without a transaction; satisfies `ledger.log.seam.LogTools`."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        return self._world.broker.partition_count

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """Append in order. What is lost on the way raises, whether it was taken or not."""
        self._world.pause("publish", len(records))
        if self._world.faults.strikes("lost publish request"):
            taken = self._world.chance.randint(0, len(records) - 1)
            self._world.broker.publish(records[:taken])
            raise LogUnavailable(f"took {taken} records, then failed")
        published = self._world.broker.publish(records)
        self._world.pause("published", published)
        if self._world.faults.strikes("lost publish reply"):
            raise LogUnavailable("the reply was lost")
        return published

    def replay(self, topic: Topic, start: Sequence[int] | None = None) -> Iterator[LogRecord]:
        """Every committed record."""
        return self._world.broker.committed_records(topic)

    def end_offsets(self, topic: Topic) -> tuple[int, ...]:
        """The high watermarks."""
        return self._world.ends(topic)

    def committed_offsets(self, group: str, topic: Topic) -> tuple[int | None, ...]:
        """The committed offsets of a group."""
        found = (self._world.broker.committed.get((group, p)) for p in range(self.partition_count))
        return tuple(None if each is None else each.offset for each in found)

    def close(self) -> None:
        """Nothing to let go of."""


def _unguarded(what: str) -> AbstractContextManager[None]:
    """No watchdog: a process that hangs is one that is killed."""
    return nullcontext()
