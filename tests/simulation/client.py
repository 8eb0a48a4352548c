"""The requests of transactions, and everything that can go wrong under way.

The real producers (`ledger.log.kafka.writing.transaction`) run unchanged on these requests:

- A request or its answer is lost with its connection. What was lost may have been done.
- A commit that was lost may still arrive, much later.
- A broker that dies takes all its connections with it.
- The network goes on while its process does other work: how far it is when the process waits for
  the result, or dies, is drawn from the seed.
"""

from __future__ import annotations

from collections.abc import Collection, Coroutine, Generator, Mapping, Set
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from kafka import errors
from msgspec import Struct

from ledger.log.kafka.writing.transaction import Identity, Reconnected, Run
from ledger.log.seam import Committed, Topic
from tests.simulation.groups import Group, Member

if TYPE_CHECKING:
    from concurrent.futures import Future

    from kafka import OffsetAndMetadata, TopicPartition

    from tests.simulation.world import World

T = TypeVar("T")
_MOST_STEPS = 8
"""One transaction of the decider has about as many requests."""


class Membership(Struct, frozen=True, kw_only=True):
    """The group metadata that goes with a transaction's offsets."""

    group: Group
    member: Member
    generation: int

    @property
    def group_id(self) -> str:
        """The group's name."""
        return self.group.name


class Step:
    """Where the network waits for its process, or the process for the network."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Task(Generic[T]):
    """Work on the network thread: as far as it came, and the rest when its result is wanted."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._ended: tuple[T | None, BaseException | None] | None = None

    def __del__(self) -> None:
        self._work.close()

    def advance(self) -> None:
        """One step, if any is left."""
        if self._ended is not None:
            return
        try:
            self._work.send(None)
        except StopIteration as end:
            self._ended = (end.value, None)
        except Exception as error:  # whoever wants the result is told
            self._ended = (None, error)

    def result(self, timeout: float) -> T:
        """All the steps that are left."""
        while self._ended is None:
            self.advance()
        value, error = self._ended
        if error is not None:
            raise error
        return cast("T", value)


class SimulatedRequests:
    """The requests of one process; satisfies `ledger.log.kafka.writing.transaction.Requests`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._connection = object()

    async def init_producer(self, transactional_id: str) -> Identity:
        """Fence; refused while what an earlier producer left is being ended."""
        await self._arrives("init producer", transactional_id)
        given = self._world.broker.init_producer(transactional_id)
        if given is None:
            raise errors.ConcurrentTransactionsError
        return Identity(transactional_id=transactional_id, producer_id=given[0], epoch=given[1])

    async def add_partitions(
        self, producer: Identity, places: Collection[TopicPartition], used: Set[object]
    ) -> None:
        """Begin a transaction."""
        lost = "lost first request"
        await self._arrives("add partitions", producer.transactional_id, lost, used=used)
        known = [(Topic(place.topic), place.partition) for place in sorted(places)]
        self._started(self._world.broker.add_partitions(*_who(producer), known))
        self._answered("lost first reply")

    async def add_offsets(
        self, producer: Identity, group: str, used: Set[object] = frozenset()
    ) -> None:
        """Begin a transaction, or go on with one."""
        await self._arrives("add offsets", producer.transactional_id, used=used)
        self._started(self._world.broker.add_offsets(*_who(producer)))

    async def produce(self, producer: Identity, run: Run) -> None:
        """Written, refused or lost."""
        await self._arrives("produce", len(run.records), producer.transactional_id)
        if self._world.faults.strikes("refused batch"):
            raise errors.CorruptRecordError
        self._world.broker.produce(*_who(producer), run.records, run.sequence)
        self._answered("lost produce reply")

    async def commit_offsets(
        self,
        producer: Identity,
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        membership: Membership,
    ) -> None:
        """Refused if the member has missed a round of its group."""
        await self._arrives("offsets", offsets, producer.transactional_id)
        if self._world.faults.strikes("failed offsets"):
            raise errors.UnknownError("offsets were not taken")
        if not membership.group.is_current(membership.member, membership.generation):
            raise errors.CommitFailedError
        known = {
            (membership.group_id, place.partition): Committed(
                offset=offset.offset, metadata=offset.metadata
            )
            for place, offset in offsets.items()
        }
        self._world.broker.commit_offsets(*_who(producer), known)

    async def end(self, producer: Identity) -> None:
        """Commit; over a connection that may be lost before or after the request arrives."""
        await self._arrives("commit", producer.transactional_id, "lost commit request")
        faults = self._world.faults
        if faults.strikes("failed commit"):
            raise errors.UnknownError("the commit was not taken")
        if faults.strikes("delayed commit"):
            arrives = self._world.scheduler.tick + self._world.chance.randint(1, 60)
            self._world.broker.delayed.append((arrives, *_who(producer)))
            self._reconnect()
        self._world.broker.end(*_who(producer), committed=True)
        self._answered("lost commit reply")

    async def pause(self, seconds: float) -> None:
        """Others go on meanwhile."""
        await Step()
        self._world.pause("wait before asking again")

    def connections(self) -> set[object]:
        """One that may be replaced any time, one that is when a broker dies."""
        return {self._connection, self._world.broker.connection}

    def seconds(self) -> float:
        """The time of the world."""
        return self._world.seconds

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Some steps at once, perhaps all; at the first it waits to be sent."""
        task = Task(work)
        for _ in range(self._world.chance.randint(1, _MOST_STEPS)):
            task.advance()
        return cast("Future[T]", task)

    async def _arrives(self, what: str, *details: object, used: Set[object] = frozenset()) -> None:
        """A request is under way, and lost if its connection is. The last detail may be a fault."""
        await Step()
        connections = self.connections()
        if not used <= connections:
            raise Reconnected("a broker's connection was replaced")
        self._world.pause(what, *details)
        if details[-1] in self._world.faults.rates and self._strikes(str(details[-1])):
            self._reconnect()
        if connections != self.connections():
            raise errors.KafkaConnectionError("the connection was lost")

    def _answered(self, fault: str) -> None:
        if self._strikes(fault):
            self._reconnect()

    def _strikes(self, fault: str) -> bool:
        return self._world.faults.strikes(fault)

    def _started(self, done: bool) -> None:
        if not done:
            raise errors.ConcurrentTransactionsError

    def _reconnect(self) -> None:
        self._connection = object()
        raise errors.KafkaConnectionError("the connection was lost")


def _who(producer: Identity) -> tuple[str, int]:
    return producer.transactional_id, producer.epoch
