"""A run of hostile records among good ones through real deciders on the log in memory."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from consumers.deciding.decider import GROUP, PartitionDecider, World
from consumers.deciding.store import Store
from ledger.log.memory import MemoryCluster
from ledger.log.seam import LogRecord, Outgoing, Topic
from ledger.terms.table import released_terms
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import decode_event
from ledger.wire.dead_letters.letter import Letter, read_letter
from tests.consumers.ledgers import START
from tests.consumers.processes.stacks import PARTITIONS
from tests.consumers.processes.test_killed import JUNK, mixed
from tests.hostile.judged import Expected, expectations
from tests.hostile.mutations import mutated

BAD_FOR_A_GOOD_ONE = 3
BATCH = 3_000


class Readable(Protocol):
    """A log, or one partition of it."""

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        ...

    def replay(self, topic: Topic) -> Iterator[LogRecord]:
        """All there is."""
        ...


class Tally(Struct, kw_only=True):
    """What was sent and what became of it."""

    sent: int = 0
    decided: int = 0
    duplicates: int = 0
    reasons: Counter[str] = Counter()

    def __str__(self) -> str:
        told = ", ".join(f"{name} {count:,}" for name, count in self.reasons.most_common())
        return (
            f"{self.sent:,} records: {self.decided:,} decided, {self.duplicates:,} known before, "
            f"{self.reasons.total():,} dead letters ({told})"
        )


def stream(bad: int, seed: int) -> Iterator[Outgoing]:
    """So many mutations, and a good record for every few of them, shuffled by the seed."""
    chance = random.Random(seed)
    good = [each for each in map(mixed, range(2_000)) if each.value != JUNK]
    for number in range(bad):
        if number % BAD_FOR_A_GOOD_ONE == 0:
            yield _good(number // BAD_FOR_A_GOOD_ONE)
        yield mutated(chance, good, PARTITIONS)


def _good(number: int) -> Outgoing:
    found = mixed(number)
    return found if found.value != JUNK else mixed(number % 21)


def run(bad: int, seed: int) -> Tally:
    """Send it all, let it be decided, and hold every record to what must become of it.

    Raises AssertionError where something else became of one, naming it.
    """
    cluster = MemoryCluster(PARTITIONS, lambda: START)
    deciders = _deciders(cluster)
    batch: list[Outgoing] = []
    for record in stream(bad, seed):
        batch.append(record)
        if len(batch) == BATCH:
            _decide(cluster, deciders, batch)
    _decide(cluster, deciders, batch)
    tally = compared(cluster)
    assert outcomes(cluster) == _without_the_bad_ones(cluster)
    return tally


def compared(tools: Readable) -> Tally:
    """Every command of a log that is decided, against what must have become of it."""
    answered = {
        (event.meta.source_partition, event.meta.source_offset)
        for event in (decode_event(each.value) for each in tools.replay(Topic.EVENTS))
    }
    letters = {(each.source.partition, each.source.offset): each for each in _letters(tools)}
    commands = list(tools.replay(Topic.COMMANDS))
    tally = Tally(reasons=Counter())
    for record, expected in zip(
        commands, expectations(commands, tools.partition_count), strict=True
    ):
        place = (record.partition, record.offset)
        _hold(record, expected, place in answered, letters.get(place))
        tally.sent += 1
        if expected.reasons:
            tally.reasons[letters[place].reason] += 1
        elif expected.outcome:
            tally.decided += 1
        else:
            tally.duplicates += 1
    return tally


def _hold(record: LogRecord, expected: Expected, answered: bool, letter: Letter | None) -> None:
    where = f"record {record.partition}:{record.offset}, {(record.value or b'')[:400].hex()}"
    found = None if letter is None else letter.reason
    if expected.reasons:
        assert not answered, f"{where} was decided, but must be set aside: {expected.reasons}"
        assert letter is not None, f"{where} was not set aside"
        assert found in expected.reasons, f"{where}: {found}, not one of {expected.reasons}"
        original = (letter.record.key, letter.record.value, letter.original_headers)
        assert original == (record.key, record.value, record.headers), f"{where} was changed"
    else:
        assert letter is None, f"{where} was set aside: {found}"
        assert answered == expected.outcome, f"{where}: outcome {answered}"


def _letters(tools: Readable) -> Iterator[Letter]:
    found = [read_letter(each) for each in tools.replay(Topic.DEAD_LETTERS)]
    letters = [letter for letter in found if letter is not None]
    assert len(letters) == len(found) == len({letter.source for letter in letters})
    return iter(letters)


def outcomes(tools: Readable) -> list[tuple[int, str, object]]:
    """What was recorded, without where its commands stood."""
    events = [decode_event(each.value) for each in tools.replay(Topic.EVENTS)]
    return [
        (
            each.meta.source_partition,
            each.meta.event_id,
            (replace(each.meta, source_offset=0, prev_hash=b""), each.body),
        )
        for each in events
    ]


def _without_the_bad_ones(cluster: MemoryCluster) -> list[tuple[int, str, object]]:
    """What is recorded where the records that cannot be read were never sent."""
    commands = list(cluster.replay(Topic.COMMANDS))
    expected = expectations(commands, PARTITIONS)
    alone = MemoryCluster(PARTITIONS, lambda: START)
    good = [
        Outgoing(
            topic=Topic.COMMANDS, partition=record.partition, key=record.key, value=record.value
        )
        for record, each in zip(commands, expected, strict=True)
        if not each.reasons
    ]
    _decide(alone, _deciders(alone), good)
    return outcomes(alone)


def _deciders(cluster: MemoryCluster) -> list[PartitionDecider]:
    opened = LedgerOpened(
        partition_count=PARTITIONS,
        topic_ids={topic.value: topic.value for topic in Topic},
        sandbox=False,
        program_version="test",
    )
    world = World(opened=opened, terms=released_terms())
    log = cluster.consumer(GROUP, Topic.COMMANDS)
    deciders = [
        PartitionDecider(log, partition, Store(None, partition, world.events_topic_id), world)
        for partition in range(PARTITIONS)
    ]
    for decider in deciders:
        decider.restore()
    return deciders


def _decide(
    cluster: MemoryCluster, deciders: Sequence[PartitionDecider], batch: list[Outgoing]
) -> None:
    cluster.publish(batch)
    batch.clear()
    for decider in deciders:
        while decider.step(0):
            pass
