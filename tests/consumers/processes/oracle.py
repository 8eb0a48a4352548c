"""The oracle: what an undisturbed decider makes of the very same commands, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.deciding.decider import PartitionDecider, World
from consumers.deciding.store import Store
from ledger.log.seam import Batch, CommitResult, Committed, LogRecord, LogTools, Outgoing, Topic
from ledger.terms.table import released_terms
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import decode_event


class Undisturbed:
    """A log of one partition's commands as they stand; nothing on it ever fails."""

    source = Topic.COMMANDS

    def __init__(self, commands: Sequence[LogRecord], partition_count: int) -> None:
        self.partition_count = partition_count
        self.written: list[Outgoing] = []
        self._commands = list(commands)

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        return frozenset(range(self.partition_count))

    def fence(self, partition: int) -> None:
        """Nobody else is there."""

    def committed(self, partition: int) -> Committed | None:
        return None

    def high_watermark(self, topic: Topic, partition: int) -> int:
        return sum(each.topic is topic for each in self.written)

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        if topic is Topic.EVENTS:
            values = [each for each in self.written if each.topic is Topic.EVENTS][:1]
            opening = [
                LogRecord(partition=partition, offset=0, appended_at=0, key=None, value=each.value)
                for each in values
            ]
            return Batch(records=tuple(opening), next_position=1)
        rest = [each for each in self._commands if each.offset >= position][:max_records]
        end = rest[-1].offset + 1 if rest else position
        return Batch(records=tuple(rest), next_position=end)

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        self.written.extend(records)

    def finish_commit(self, partition: int) -> CommitResult:
        return CommitResult.OK

    def close(self) -> None:
        """Nothing to let go of."""


def expected_events(tools: LogTools) -> list[list[bytes | None]]:
    """Per partition the values that the events topic must have, by the commands topic alone."""
    opened = decode_event(next(iter(tools.replay(Topic.EVENTS))).value).body
    assert isinstance(opened, LedgerOpened)
    world = World(opened=opened, terms=released_terms())
    commands = list(tools.replay(Topic.COMMANDS))
    expected = []
    for partition in range(tools.partition_count):
        own = [found for found in commands if found.partition == partition]
        log = Undisturbed(own, tools.partition_count)
        decider = PartitionDecider(
            log, partition, Store(None, partition, world.events_topic_id), world
        )
        decider.restore()
        while decider.step(0):
            pass
        expected.append([each.value for each in log.written if each.topic is Topic.EVENTS])
    return expected


def recorded_events(tools: LogTools) -> list[list[bytes | None]]:
    """Per partition the values that the events topic has."""
    found: list[list[bytes | None]] = [[] for _ in range(tools.partition_count)]
    for each in tools.replay(Topic.EVENTS):
        found[each.partition].append(each.value)
    return found
