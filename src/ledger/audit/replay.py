"""Replays the log from its first record and gives every step to the checks.

It is independent of the code that it audits: it uses the log, the codec and the vocabulary, but no
code that decides, calculates or stores state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile

from msgspec import Struct
from msgspec.structs import replace

from ledger.audit.checks import CHECKS, name_of
from ledger.audit.evidence import (
    AuditedPartition,
    Check,
    Divergence,
    PartitionEnd,
    Seen,
    SeenCommand,
    SeenDeadLetter,
    SeenEvent,
    SeenResolution,
    UnreadEvent,
)
from ledger.log.seam import LogRecord, LogTools, Topic
from ledger.origins.verifying import KeptOrigins
from ledger.terms.table import TermsTable, released_terms
from ledger.vocabulary.envelope import NEWEST_EDITION
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import UnreadableRecord, decode_command, decode_event
from ledger.wire.dead_letters.closing import is_resolution, read_resolution
from ledger.wire.dead_letters.letter import read_letter

_FAR = 1 << 62
_UNKNOWN = -2

_Answer = SeenEvent | UnreadEvent | SeenDeadLetter


class AuditReport(Struct, frozen=True, kw_only=True):
    """The records read, the checks made, and the first divergence of each check."""

    commands: int
    events: int
    dead_letters: int
    checks: tuple[str, ...]
    divergences: tuple[Divergence, ...]


class _Tally:
    """Counts the records read, and reports the progress."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self.commands = self.events = self.dead_letters = 0

    def count(self, seen: Seen) -> None:
        match seen:
            case SeenCommand():
                self.commands += 1
            case SeenEvent() | UnreadEvent():
                self.events += 1
            case SeenDeadLetter():
                self.dead_letters += 1
            case SeenResolution() | PartitionEnd():
                return
        self._tell(self.commands + self.events + self.dead_letters)


def audit(
    tools: LogTools,
    decider_group: str,
    checks: Sequence[type[Check]] = CHECKS,
    tell: Callable[[int], None] = lambda _: None,
    terms: TermsTable | None = None,
    origins: KeptOrigins | None = None,
) -> AuditReport:
    """Check the complete present log, while others may write to it; memory stays bounded.

    1. Read the decider's committed offset: commands before it must have an outcome. 2. Read
    `LedgerOpened`. 3. Partition by partition, give every record to every check that has found
    nothing yet. `tell` is called with the number of records read so far. Nothing is written.
    `terms` are the terms of the ledger; the default is the released ones. `origins` are the
    versions of its table of origins.
    """
    # 1
    decided = tools.committed_offsets(decider_group, Topic.COMMANDS)
    # 2
    opened = _first_opened(tools)
    # 3
    tally, found = _Tally(tell), dict[str, Divergence]()
    table = released_terms() if terms is None else terms
    for partition in range(tools.partition_count):
        audited = AuditedPartition(
            partition=partition,
            partition_count=tools.partition_count,
            opened=opened,
            decided=decided[partition],
            terms=table,
            origins=origins or KeptOrigins(),
        )
        running = {name_of(kind): kind(audited) for kind in checks if name_of(kind) not in found}
        for seen in replayed(tools, partition, decided[partition]):
            tally.count(seen)
            for name, first in _first_divergences(running, seen):
                found[name] = replace(first, check=name)
                del running[name]
    names = tuple(name_of(kind) for kind in checks)
    return AuditReport(
        commands=tally.commands,
        events=tally.events,
        dead_letters=tally.dead_letters,
        checks=names,
        divergences=tuple(found[name] for name in names if name in found),
    )


def replayed(tools: LogTools, partition: int, decided: int | None) -> Iterator[Seen]:
    """One partition of the three topics in one sequence: each command, its events, its dead letter;
    at the end the resolutions of dead letters.

    All three are in order of the commands' offsets, so reading one record ahead in each is enough.
    The events are opened first and the commands last: so a later event proves that all commands
    before it were decided, and its command can be read.
    """
    events = _Ahead(_records(tools, Topic.EVENTS, partition, decided))
    letters = _Ahead(_records(tools, Topic.DEAD_LETTERS, partition, decided))
    for record in tools.replay(Topic.COMMANDS, _only(tools, partition)):
        offset = record.offset
        yield from events.before(offset)
        yield from letters.before(offset)
        due = events.source >= offset or (decided is not None and offset < decided)
        yield _command(record, due=due, edition=events.edition_of(offset))
        yield from events.before(offset + 1)
        yield from letters.before(offset + 1)
    yield from events.before(_FAR)
    yield from letters.before(_FAR)
    yield from _resolutions(tools, partition)
    yield PartitionEnd(partition=partition)


class _Ahead:
    """The events or letters of a topic, read one ahead. `source` is the offset of the command that
    the next record names; it is below every offset if the record names none, and at the end.
    """

    def __init__(self, records: Iterator[_Answer]) -> None:
        self._steps = records
        self._next: _Answer | None = next(records, None)
        self.source = _source(self._next)

    def edition_of(self, offset: int) -> int:
        """The edition in which this command was decided; the newest if it was not decided."""
        if isinstance(self._next, SeenEvent) and self.source == offset:
            return self._next.meta.edition
        return NEWEST_EDITION

    def before(self, offset: int) -> Iterator[Seen]:
        """The steps before the first one that names this command or a later one."""
        while self._next is not None and self.source < offset:
            yield self._next
            self._next = next(self._steps, None)
            self.source = _source(self._next)


def _records(
    tools: LogTools, topic: Topic, partition: int, decided: int | None
) -> Iterator[_Answer]:
    """The records at the time of the call, and after them the outcomes of the commands decided by
    then, because the end of a transaction reaches each of its partitions at another time.
    """
    read = _event if topic is Topic.EVENTS else _dead_letter
    first = tools.replay(topic, _only(tools, partition))

    def both() -> Iterator[_Answer]:
        position = 0
        for record in first:
            position = record.offset + 1
            if not is_resolution(record):
                yield read(record)
        if decided is not None:
            rest = tools.replay(topic, _only(tools, partition, position))
            late = (read(record) for record in rest if not is_resolution(record))
            yield from takewhile(lambda seen: _source(seen) < decided, late)

    return both()


def _command(record: LogRecord, *, due: bool, edition: int) -> SeenCommand:
    given, problem = None, ""
    try:
        given = decode_command(record.key, record.value, edition)
    except UnreadableRecord as error:
        problem = str(error)
    return SeenCommand(record=record, given=given, problem=problem, due=due)


def _event(record: LogRecord) -> _Answer:
    try:
        recorded = decode_event(record.value)
    except UnreadableRecord as error:
        return UnreadEvent(record=record, problem=str(error))
    return SeenEvent(record=record, meta=recorded.meta, body=recorded.body)


def _dead_letter(record: LogRecord) -> _Answer:
    letter = read_letter(record)
    source_offset = None if letter is None else letter.source.offset
    return SeenDeadLetter(record=record, source_offset=source_offset)


def _resolutions(tools: LogTools, partition: int) -> Iterator[Seen]:
    """The resolutions, with the records that they name. People write these, at most some hundreds,
    so each record is read separately.
    """
    for record in tools.replay(Topic.DEAD_LETTERS, _only(tools, partition)):
        if is_resolution(record):
            found = read_resolution(record)
            letter = copy = None
            if found is not None:
                letter = _at(tools, Topic.DEAD_LETTERS, partition, found.letter_offset)
                place = found.copy
                if place is not None and place.partition < tools.partition_count:
                    copy = _at(tools, Topic.COMMANDS, place.partition, place.offset)
            yield SeenResolution(record=record, resolution=found, letter=letter, copy=copy)


def _at(tools: LogTools, topic: Topic, partition: int, offset: int) -> LogRecord | None:
    """The record at a position; None if there is none."""
    if offset >= tools.end_offsets(topic)[partition]:
        return None
    found = next(tools.replay(topic, _only(tools, partition, offset)), None)
    return found if found is not None and found.offset == offset else None


def _source(seen: _Answer | None) -> int:
    match seen:
        case SeenEvent():
            return seen.meta.source_offset
        case SeenDeadLetter():
            return _UNKNOWN if seen.source_offset is None else seen.source_offset
        case UnreadEvent() | None:
            return _UNKNOWN


def _first_divergences(running: dict[str, Check], seen: Seen) -> list[tuple[str, Divergence]]:
    return [
        (name, first)
        for name, check in running.items()
        if (first := next(check.look(seen), None)) is not None
    ]


def _first_opened(tools: LogTools) -> LedgerOpened | None:
    """The `LedgerOpened` of the first partition that has an event."""
    for partition in range(tools.partition_count):
        first = next(iter(tools.replay(Topic.EVENTS, _only(tools, partition))), None)
        if first is not None:
            match _event(first):
                case SeenEvent(body=LedgerOpened() as opened):
                    return opened
                case _:
                    return None
    return None


def _only(tools: LogTools, partition: int, start: int = 0) -> list[int]:
    """The start positions to read only one partition."""
    return [start if p == partition else _FAR for p in range(tools.partition_count)]
