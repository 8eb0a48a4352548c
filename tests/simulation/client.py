"""The client's producer as it was found to behave, with everything that can go wrong under it.

It has the surface that `transactional_writer` and `records` use, so that those run unchanged:

- A batch that expires inside a transaction fails its futures, and a commit commits the rest.
- After a failed call the next transaction carries the offsets of the failed one too.
- A producer that gets a new epoch while it commits reports a commit that was never sent.
- A request without an answer is sent again over a new connection; the first may still arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kafka import errors
from msgspec import Struct

from ledger.log.seam import Committed, Headers, Outgoing, Topic
from tests.simulation.broker import Broker
from tests.simulation.groups import Group, Member

if TYPE_CHECKING:
    from kafka import OffsetAndMetadata, TopicPartition

    from tests.simulation.world import World


class Future(Struct, kw_only=True, eq=False):
    """What became of a send."""

    error: Exception | None = None
    settled: bool = False

    def get(self, timeout: float) -> None:
        """Raises what the send failed with, or that it is not settled."""
        if not self.settled:
            raise errors.KafkaTimeoutError("still in flight")
        if self.error is not None:
            raise self.error


class Identity(Struct, kw_only=True):
    """Producer id and epoch."""

    producer_id: int
    epoch: int


class Membership(Struct, frozen=True, kw_only=True):
    """The group metadata that goes with a transaction's offsets."""

    group: Group
    member: Member
    generation: int


class Inside:
    """The client's inner parts that the writer looks at, all in one."""

    def __init__(self, append: Any, broker: Broker) -> None:
        self.append = append
        self.producer_id_and_epoch = Identity(producer_id=-1, epoch=-1)
        self.connection = object()
        self._client = self._manager = self
        self._broker = broker

    @property
    def _conns(self) -> dict[int, object]:
        """One that may be replaced any time, one that is when a broker dies."""
        return {0: self.connection, 1: self._broker.connection}

    def wakeup(self) -> None:
        """Nothing sleeps here."""


class SimulatedProducer:
    """One transactional producer of one process."""

    def __init__(self, world: World, transactional_id: str) -> None:
        self._world = world
        self._id = transactional_id
        self._buffer: list[tuple[Outgoing, Future]] = []
        self._left_over: dict[tuple[str, int], Committed] = {}
        self._accumulator = self._sender = self._transaction_manager = Inside(
            self._append, world.broker
        )

    def init_transactions(self) -> None:
        """Fence, waiting until what an earlier producer left is over."""
        self._world.pause("init_transactions", self._id)
        while (given := self._world.broker.init_producer(self._id)) is None:
            self._world.pause("init_transactions: its last transaction is being ended")
        self._transaction_manager.producer_id_and_epoch = Identity(
            producer_id=given[0], epoch=given[1]
        )

    def begin_transaction(self) -> None:
        """Known to the client alone."""
        self._buffer.clear()

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes]],
        partition: int,
    ) -> Future:
        """Into the buffer."""
        return self._buffered(topic, partition, key, value, tuple(headers))

    def flush(self, timeout: float) -> None:
        """Send what is in the buffer, batch by batch; each is written, or it expires."""
        chance, faults = self._world.chance, self._world.faults
        while self._buffer:
            size = chance.randint(1, len(self._buffer))
            batch, self._buffer = self._buffer[:size], self._buffer[size:]
            if faults.strikes("expired send"):
                self._settle(batch, errors.KafkaTimeoutError("the batch has expired"))
                continue
            self._world.pause("produce", size, "under", self._id)
            if faults.strikes("lost produce reply"):  # sent again; the broker knows its number
                self._new_connection()
                self._world.pause("produce again")
            records = [record for record, _ in batch]
            try:
                while not self._world.broker.produce(self._id, self._identity.epoch, records):
                    self._world.pause("produce: the last transaction is being ended")
            except errors.KafkaError as error:
                self._settle(batch, error)
                continue
            self._settle(batch, None)

    def send_offsets_to_transaction(
        self, offsets: dict[TopicPartition, OffsetAndMetadata], membership: Membership
    ) -> None:
        """Have the transaction carry offsets, and whatever a failed one has left over."""
        group = membership.group
        for place, offset in offsets.items():
            committed = Committed(offset=offset.offset, metadata=offset.metadata)
            self._left_over[group.name, place.partition] = committed
        self._world.pause("offsets", self._left_over, "under", self._id)
        if self._world.faults.strikes("failed offsets"):
            raise errors.KafkaTimeoutError("offsets were not taken in time")
        if not group.is_current(membership.member, membership.generation):
            raise errors.CommitFailedError
        while not self._world.broker.add_offsets(self._id, self._identity.epoch, self._left_over):
            self._world.pause("offsets: the last transaction is being ended")

    def commit_transaction(self) -> None:
        """Commit; over a connection that may be lost before or after the request arrives."""
        faults = self._world.faults
        self._world.pause("commit under", self._id)
        if faults.strikes("failed commit"):
            raise errors.KafkaTimeoutError("commit was not answered")
        if faults.strikes("new epoch in mid-commit"):
            self.init_transactions()
            return
        if faults.strikes("lost commit request"):
            self._new_connection()
            self._world.pause("commit again: the request was lost")
        if faults.strikes("delayed commit"):
            arrives = self._world.scheduler.tick + self._world.chance.randint(1, 60)
            self._world.broker.delayed.append((arrives, self._id, self._identity.epoch))
            self._new_connection()
            self._world.pause("commit again: the request is late")
        self._world.broker.end(self._id, self._identity.epoch, committed=True)
        if faults.strikes("lost commit reply"):
            self._new_connection()
            self._world.pause("commit again: the reply was lost")
            self._world.broker.end(self._id, self._identity.epoch, committed=True)
        self._left_over.clear()

    def close(self, timeout: float) -> None:
        """Never ends a transaction."""

    @property
    def _identity(self) -> Identity:
        return self._transaction_manager.producer_id_and_epoch

    def _append(
        self,
        place: TopicPartition,
        timestamp: None,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
    ) -> tuple[Future, bool, bool, bool]:
        future = self._buffered(place.topic, place.partition, key, value, tuple(headers))
        return future, False, False, False

    def _buffered(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
    ) -> Future:
        future = Future()
        record = Outgoing(
            topic=Topic(topic), partition=partition, key=key, value=value, headers=headers
        )
        self._buffer.append((record, future))
        return future

    def _settle(self, batch: list[tuple[Outgoing, Future]], error: Exception | None) -> None:
        for _, future in batch:
            future.settled, future.error = True, error

    def _new_connection(self) -> None:
        self._sender.connection = object()
