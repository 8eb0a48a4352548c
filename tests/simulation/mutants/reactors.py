"""Bugs of the reactions."""

from __future__ import annotations

from itertools import count
from typing import Any

from msgspec.structs import replace

from consumers.deciding.decider import CommitLost
from consumers.reacting import reactor as reacting
from consumers.reacting.reactor import PartitionReactor
from ledger.log.seam import Batch, CommitResult, Topic
from ledger.vocabulary.envelope import GivenCommand
from tests.simulation.log import SimulatedLog
from tests.simulation.mutants.planting import Patch, mutant


def _random_ids(patch: Patch) -> None:
    """A follow-up's id is derived from its cause, so that it is known again."""
    numbers = count()

    def follow_up(*given: Any, **named: Any) -> GivenCommand:
        command: GivenCommand = original(*given, **named)
        meta = replace(command.meta, command_id=f"{command.meta.command_id}-{next(numbers)}")
        return replace(command, meta=meta)

    original = patch.put(reacting, "follow_up", follow_up)


def _ids_without_the_index(patch: Patch) -> None:
    """Each of several follow-ups of one event has an id of its own."""

    def follow_up(cause: Any, name: str, index: int, *given: Any, **named: Any) -> GivenCommand:
        command: GivenCommand = original(cause, name, 0, *given, **named)
        return command

    original = patch.put(reacting, "follow_up", follow_up)


def _offset_before_the_commands(patch: Patch) -> None:
    """Follow-ups and the offset are committed together."""

    def begin(self: PartitionReactor) -> int:
        batch = self._log.read(Topic.EVENTS, self._partition, self._position, 100, 0.0)
        if not batch.records and batch.next_position == self._committed:
            return 0
        outgoing = [each for found in batch.records for each in self._react(found, None)]
        for records in ([], outgoing):
            self._log.begin_commit(self._partition, records, batch.next_position, "")
            if self._log.finish_commit(self._partition) is not CommitResult.OK:
                raise CommitLost
        self._position = self._committed = batch.next_position
        return len(batch.records)

    patch.put(PartitionReactor, "begin", begin)


def _reactions_begun_at_the_end(patch: Patch) -> None:
    """Where no offset is known, the reactions begin at the first event."""

    def restore(self: PartitionReactor) -> None:
        original(self)
        if self._committed is None:
            self._position = self._log.high_watermark(Topic.EVENTS, self._partition)

    original = patch.put(PartitionReactor, "restore", restore)


def _uncommitted_events_reacted_to(patch: Patch) -> None:
    """Only committed events are reacted to."""

    def read(self: SimulatedLog, topic: Topic, partition: int, position: int, *rest: Any) -> Batch:
        if self._source is Topic.COMMANDS:
            found: Batch = original(self, topic, partition, position, *rest)
            return found
        self._world.pause("read what is not committed")
        events = self._world.broker.partitions[topic, partition]
        return events.read(position, self._world.fetch_size(100), uncommitted=True)

    original = patch.put(SimulatedLog, "read", read)


MUTANTS = tuple(
    map(
        mutant,
        (
            _random_ids,
            _ids_without_the_index,
            _offset_before_the_commands,
            _reactions_begun_at_the_end,
            _uncommitted_events_reacted_to,
        ),
    )
)
