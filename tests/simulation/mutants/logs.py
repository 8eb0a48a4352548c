"""Bugs around the transactions and what is asked of the brokers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka import errors
from msgspec.structs import replace

from ledger.log.kafka.writing.hanging_transactions import HangingTransactions
from ledger.log.kafka.writing.transaction import Identity, Producer, Run
from ledger.log.kafka.writing.transactional_writer import TransactionalWriter
from ledger.log.seam import CommitResult, Committed, Outgoing, Topic
from tests.simulation.client import Membership, SimulatedRequests
from tests.simulation.groups import Group
from tests.simulation.log import SimulatedHanging, SimulatedLog
from tests.simulation.mutants.planting import Patch, mutant


def _no_fence(patch: Patch) -> None:
    """A new owner's producer shuts out the earlier ones."""

    async def joined(self: SimulatedRequests, transactional_id: str) -> Identity:
        given = self._world.broker.same_epoch_again(transactional_id)
        return Identity(transactional_id=transactional_id, producer_id=given[0], epoch=given[1])

    patch.put(SimulatedRequests, "init_producer", joined)
    patch.put(Group, "is_current", lambda self, member, generation: True)


def _restored_to_the_last_stable_offset(patch: Patch) -> None:
    """State is restored to the high watermark, not to the last stable offset."""

    def stable_end(self: SimulatedLog, topic: Topic, partition: int) -> int:
        self._world.pause("ask for the stable end")
        return self._world.broker.partitions[topic, partition].stable_end

    patch.put(SimulatedLog, "high_watermark", stable_end)


def _offsets_apart_from_the_events(patch: Patch) -> None:
    """Consumed offsets are committed in the transaction of the events."""

    async def at_once(
        self: SimulatedRequests, producer: Identity, offsets: Any, membership: Membership
    ) -> None:
        for place, offset in offsets.items():
            known = Committed(offset=offset.offset, metadata=offset.metadata)
            self._world.broker.committed[membership.group_id, place.partition] = known
        self._world.pause("offsets are committed")

    patch.put(SimulatedRequests, "commit_offsets", at_once)


def _stale_offsets(patch: Patch) -> None:
    """A transaction carries its own offsets, never those of the one before."""

    def begin(
        self: TransactionalWriter, records: Sequence[Outgoing], next_offset: int, *rest: Any
    ) -> None:
        stale = getattr(self, "_stale", next_offset)
        setattr(self, "_stale", next_offset)  # noqa: B010 - the writer has no such attribute
        original(self, records, stale, *rest)

    original = patch.put(TransactionalWriter, "begin", begin)


def _refused_batch_left_out(patch: Patch) -> None:
    """A batch that is refused ends the transaction; the rest is not committed without it."""

    async def written(self: Producer, run: Run, give_up: float) -> None:
        try:
            await original(self, run, give_up)
        except errors.CorruptRecordError:
            return

    original = patch.put(Producer, "_written", written)


def _batch_numbered_again(patch: Patch) -> None:
    """A batch that is sent again has the number it had, so that the brokers know it."""

    async def produce(self: SimulatedRequests, producer: Identity, run: Run) -> None:
        known = self._world.broker._producers[producer.transactional_id]
        place = (run.records[0].topic, run.records[0].partition)
        known.sequences[place] = run.sequence
        await original(self, producer, run)

    original = patch.put(SimulatedRequests, "produce", produce)


def _begun_over_a_new_connection(patch: Patch) -> None:
    """A transaction begins only over the connections over which the last one has ended."""

    def start(self: TransactionalWriter, begun: Any) -> None:
        self._used = set()
        original(self, begun)

    original = patch.put(TransactionalWriter, "_start", start)


def _producer_not_retired(patch: Patch) -> None:
    """After a slow commit, or a connection replaced in it, the producer is retired."""

    def begin(self: TransactionalWriter, *given: Any) -> None:
        self._retire = False
        original(self, *given)

    original = patch.put(TransactionalWriter, "begin", begin)


def _retired_producer_takes_over(patch: Patch) -> None:
    """A retired producer's successor writes only where nobody has become the writer meanwhile."""

    def begin(self: TransactionalWriter, *given: Any) -> None:
        self._committed = lambda: self._last
        original(self, *given)

    original = patch.put(TransactionalWriter, "begin", begin)
    patch.put(Group, "is_current", lambda self, member, generation: True)


def _unknown_taken_for_done(patch: Patch) -> None:
    """A commit whose end is not known is not taken for done."""
    _answer_instead(patch, CommitResult.UNKNOWN)


def _fenced_taken_for_done(patch: Patch) -> None:
    """A process that was shut out ends."""
    _answer_instead(patch, CommitResult.FENCED)


def _answer_instead(patch: Patch, of: CommitResult) -> None:
    def finish(self: SimulatedLog, partition: int) -> CommitResult:
        result = original(self, partition)
        return CommitResult.OK if result is of else result

    original = patch.put(SimulatedLog, "finish_commit", finish)


def _metadata_not_compared(patch: Patch) -> None:
    """The offset's metadata names the last event, and a start compares it."""

    class Agreeable(str):
        __slots__ = ()

        def __ne__(self, other: object) -> bool:
            return False

    def committed(self: SimulatedLog, partition: int) -> Committed | None:
        known: Committed | None = original(self, partition)
        return None if known is None else replace(known, metadata=Agreeable(known.metadata))

    original = patch.put(SimulatedLog, "committed", committed)


def _source_not_compared(patch: Patch) -> None:
    """The last event's command lies before the committed offset, and a start compares them."""

    class Ahead(int):
        def __le__(self, other: object) -> bool:
            return False

    def committed(self: SimulatedLog, partition: int) -> Committed | None:
        known: Committed | None = original(self, partition)
        return None if known is None else replace(known, offset=Ahead(known.offset))

    original = patch.put(SimulatedLog, "committed", committed)


def _hanging_left_alone(patch: Patch) -> None:
    """Whoever has fenced ends what hangs in spite of it."""
    patch.put(SimulatedHanging, "end", lambda self, *given: None)


def _hanging_aborted(patch: Patch) -> None:
    """What hangs ends as the brokers had decided: part of it may have been committed already."""

    def end(self: SimulatedHanging, transactional_id: str, producer_id: int, *rest: Any) -> None:
        self._world.broker.producer(producer_id).decided = False
        original(self, transactional_id, producer_id, *rest)

    original = patch.put(SimulatedHanging, "end", end)


def _hanging_of_the_idle_not_looked_for(patch: Patch) -> None:
    """A partition without news is looked at too: its last transaction may hang."""

    def look(self: HangingTransactions, writers: Any, read: Any) -> frozenset[int]:
        original(self, writers, read)
        return frozenset()

    original = patch.put(HangingTransactions, "look", look)


def _hanging_of_others_left_alone(patch: Patch) -> None:
    """What others left hanging stops a partition as well."""
    patch.put(HangingTransactions, "_end_of_another", lambda self, found: None)


def _producer_kept_when_a_broker_died(patch: Patch) -> None:
    """A connection replaced between two commits retires the producer as well."""

    def begin(self: TransactionalWriter, *given: Any) -> None:
        self._used = set()
        original(self, *given)

    original = patch.put(TransactionalWriter, "begin", begin)


MUTANTS = tuple(
    map(
        mutant,
        (
            _no_fence,
            _restored_to_the_last_stable_offset,
            _offsets_apart_from_the_events,
            _stale_offsets,
            _refused_batch_left_out,
            _batch_numbered_again,
            _begun_over_a_new_connection,
            _producer_not_retired,
            _retired_producer_takes_over,
            _unknown_taken_for_done,
            _fenced_taken_for_done,
            _metadata_not_compared,
            _source_not_compared,
            _hanging_left_alone,
            _hanging_aborted,
            _hanging_of_the_idle_not_looked_for,
            _hanging_of_others_left_alone,
            _producer_kept_when_a_broker_died,
        ),
    )
)
