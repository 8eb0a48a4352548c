"""One transaction after the other under one transactional id, as requests to the brokers.

Every producer of a process shares its connections and its network thread, so that many partitions
cost little. The client's own producer has a thread and a connection for each id, and a future for
each record. Processor time of the process, with that producer and with these requests: 1.7 and
1.2 ms for a transaction of one record, 11 and 5.5 µs for each record of one of 1,000.

What holds for every transaction, and is checked by `tests/simulation`, where these requests go to
simulated brokers:

1. Each request is answered before the next one that needs it is sent. So nothing is in flight at
   the commit, and a failed one ends the transaction: the rest is never committed.
2. A request that may be repeated is repeated until the transaction would time out. The brokers know
   a repeated batch by its sequence number. The producer id and epoch never change.
3. The first request of a transaction goes only over connections that were there when the last one
   ended. The coordinator refuses it until the last one is over: its markers are written then. A
   broker that died meanwhile could have lost some of them, and this transaction would end the last
   one with its own result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol, TypeVar

from kafka import OffsetAndMetadata, TopicPartition, errors
from msgspec import Struct

from ledger.log.failpoints import passing
from ledger.log.kafka.client.settings import MAX_RECORD_BYTES, KafkaSettings
from ledger.log.seam import Outgoing

T = TypeVar("T")
_AGAIN_SECONDS = 0.02
_ENDING_SECONDS = 0.003
"""How long to wait before a request is repeated; the second while the last transaction ends."""
_OVERHEAD_BYTES = 64
"""More than the lengths and numbers of a record take in a batch."""


class Identity(Struct, frozen=True, kw_only=True):
    """A producer as the brokers know it: a later epoch of its id shuts it out."""

    transactional_id: str
    producer_id: int
    epoch: int


class Run(Struct, frozen=True, kw_only=True):
    """Records of one partition that are written as one batch; `sequence` numbers the first."""

    place: TopicPartition
    records: Sequence[Outgoing]
    sequence: int


class Reconnected(errors.KafkaError):  # type: ignore[misc]  # the client has no types
    """A connection of the last transaction was replaced, and the next one has not begun."""


class Requests(Protocol):
    """What a producer asks of the brokers. Each request raises the KafkaError of its answer."""

    async def init_producer(self, transactional_id: str) -> Identity:
        """A new epoch of the id; ends what an earlier epoch has open."""
        ...

    async def add_partitions(
        self, producer: Identity, places: Collection[TopicPartition], used: Set[object]
    ) -> None:
        """Let the transaction, which begins with the first of them, write to partitions. Raises
        Reconnected if one of the connections `used` is no longer there as the request is sent.
        """
        ...

    async def add_offsets(
        self, producer: Identity, group: str, used: Set[object] = frozenset()
    ) -> None:
        """Let the transaction write offsets of a group; with `used` as above."""
        ...

    async def produce(self, producer: Identity, run: Run) -> None:
        """Write a batch; the same batch again changes nothing."""
        ...

    async def commit_offsets(
        self,
        producer: Identity,
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        membership: Any,
    ) -> None:
        """Write offsets of the group of a member; refused if its generation is over."""
        ...

    async def end(self, producer: Identity) -> None:
        """Commit the transaction."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait before a request is repeated."""
        ...

    def seconds(self) -> float:
        """A monotonic clock."""
        ...

    def connections(self) -> set[object]:
        """The connections there are; a new one is another object."""
        ...

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Do the work on the network thread, while this thread does other work."""
        ...


class Producer:
    """Writes transactions under one id, one at a time. `identity` comes from `fence`."""

    def __init__(self, settings: KafkaSettings, requests: Requests, identity: Identity) -> None:
        self._settings = settings
        self._requests = requests
        self._sequences: dict[TopicPartition, int] = {}
        self.identity = identity

    async def transaction(
        self,
        records: Sequence[Outgoing],
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        membership: Any,
        used: set[object],
    ) -> None:
        """Write the records and the offsets, all or none. `used` are the connections of the last
        transaction.

        1. Begin it. 2. Write the batches. 3. Write the offsets. 4. Commit.
        Raises a KafkaError; the transaction's end is not known then, except after `Reconnected`:
        nothing was written.
        """
        requests, identity = self._requests, self.identity
        give_up = requests.seconds() + self._settings.transaction_timeout_ms / 1000
        runs = list(self._runs(records))
        places = {run.place for run in runs}
        group = membership.group_id
        if places:
            await self._begin(partial(requests.add_partitions, identity, places), used, give_up)
            await _taken(requests, lambda: requests.add_offsets(identity, group), give_up)
        else:
            await self._begin(partial(requests.add_offsets, identity, group), used, give_up)
        passing("writer.sent")
        for run in runs:
            await self._written(run, give_up)
        passing("writer.settled")
        await _taken(
            requests, lambda: requests.commit_offsets(identity, offsets, membership), give_up
        )
        passing("writer.offsets")
        await _taken(requests, lambda: requests.end(identity), give_up)
        passing("writer.committed")

    async def _written(self, run: Run, give_up: float) -> None:
        requests, producer = self._requests, self.identity
        await _taken(requests, lambda: requests.produce(producer, run), give_up)

    async def _begin(
        self,
        ask: Callable[[Set[object]], Coroutine[Any, Any, None]],
        used: set[object],
        give_up: float,
    ) -> None:
        """See rule 3."""
        while True:
            try:
                return await ask(used)
            except errors.ConcurrentTransactionsError:
                if self._requests.seconds() > give_up:
                    raise
                await self._requests.pause(_ENDING_SECONDS)
            except errors.RetriableError as error:
                if used:
                    raise Reconnected(str(error)) from error
                if self._requests.seconds() > give_up:
                    raise
                await self._requests.pause(_AGAIN_SECONDS)

    def _runs(self, records: Sequence[Outgoing]) -> Iterator[Run]:
        """The records by partition, in order, in batches of a size that the brokers take."""
        by_place: dict[TopicPartition, list[Outgoing]] = {}
        for record in records:
            place = TopicPartition(self._settings.topic_name(record.topic), record.partition)
            by_place.setdefault(place, []).append(record)
        for place, found in by_place.items():
            for part in split(found, MAX_RECORD_BYTES):
                sequence = self._sequences.get(place, 0)
                self._sequences[place] = (sequence + len(part)) % 2**31
                yield Run(place=place, records=part, sequence=sequence)


async def fence(settings: KafkaSettings, requests: Requests, transactional_id: str) -> Identity:
    """Shut out all earlier producers of the id, and wait until what they had open has ended."""
    give_up = requests.seconds() + settings.transaction_timeout_ms / 1000
    return await _taken(requests, lambda: requests.init_producer(transactional_id), give_up)


async def _taken(
    requests: Requests, ask: Callable[[], Coroutine[Any, Any, T]], give_up: float
) -> T:
    """Ask until the brokers take it; see rule 2."""
    while True:
        try:
            return await ask()
        except (errors.RetriableError, errors.UnknownBrokerIdError):
            if requests.seconds() > give_up:
                raise
            await requests.pause(_AGAIN_SECONDS)


def split(records: Sequence[Outgoing], most_bytes: int) -> Iterator[Sequence[Outgoing]]:
    """The records in order, in runs of at most so many bytes, and of one at least."""
    first = size = 0
    for place, record in enumerate(records):
        own = _OVERHEAD_BYTES + len(record.key or b"") + len(record.value or b"")
        for name, value in record.headers:
            own += len(name) + len(value) + 4
        if place > first and size + own > most_bytes:
            yield records[first:place]
            first, size = place, 0
        size += own
    if first < len(records):
        yield records[first:]
