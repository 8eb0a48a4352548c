"""Reads a partition of the three topics in one sequence, and decodes every record once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from ledger.audit.before import Before
from ledger.audit.evidence import (
    AuditedPartition,
    PartitionEnd,
    Seen,
    SeenCommand,
    SeenDeadLetter,
    SeenEvent,
    SeenResolution,
    UnreadEvent,
)
from ledger.log.seam import FAR, LogRecord, LogTools, Topic, only
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import NEWEST_EDITION
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import UnreadableRecord, decode_command, examined_event
from ledger.wire.dead_letters.closing import is_resolution, read_resolution
from ledger.wire.dead_letters.letter import read_letter

_UNKNOWN = -2

_Answer = SeenEvent | UnreadEvent | SeenDeadLetter


def replayed(
    tools: LogTools, audited: AuditedPartition, before: Before | None = None
) -> Iterator[Seen]:
    """One partition of the three topics in one sequence: each command, its events, its dead letter;
    at the end the resolutions of dead letters.

    All three are in order of the commands' offsets, so reading one record ahead in each is enough.
    The events are opened first and the commands last: so a later event proves that all commands
    before it were decided, and its command can be read. `before` says what is left out.
    """
    partition, decided = audited.partition, audited.decided
    events = _Ahead(_records(tools, Topic.EVENTS, partition, decided, before))
    letters = _Ahead(_records(tools, Topic.DEAD_LETTERS, partition, decided, before))
    for record in tools.replay(Topic.COMMANDS, only(tools, partition)):
        if before is not None and before.leaves_out(Topic.COMMANDS, record):
            continue
        offset = record.offset
        yield from events.before(offset)
        yield from letters.before(offset)
        due = events.source >= offset or (decided is not None and offset < decided)
        yield _command(record, due=due, edition=events.edition_of(offset))
        yield from events.before(offset + 1)
        yield from letters.before(offset + 1)
    yield from events.before(FAR)
    yield from letters.before(FAR)
    if before is not None:
        for topic in Topic:
            before.prove(topic)
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
    tools: LogTools, topic: Topic, partition: int, decided: int | None, before: Before | None
) -> Iterator[_Answer]:
    """The records at the time of the call, and after them the outcomes of the
    commands decided by then, because the end of a transaction reaches each of its partitions at
    another time.
    """
    first = tools.replay(topic, only(tools, partition))

    def read(record: LogRecord) -> _Answer | None:
        left_out = before is not None and before.leaves_out(topic, record)
        if topic is Topic.DEAD_LETTERS and is_resolution(record):
            if before is not None:
                before.wait(record)
            return None
        if left_out:
            return None
        return _event(record) if topic is Topic.EVENTS else _dead_letter(record)

    def both() -> Iterator[_Answer]:
        position = 0
        for record in first:
            position = record.offset + 1
            seen = read(record)
            if seen is not None:
                yield seen
        if decided is not None:
            rest = tools.replay(topic, only(tools, partition, position))
            late = (seen for record in rest if (seen := read(record)) is not None)
            yield from takewhile(lambda seen: _source(seen) < decided, late)

    return both()


def _command(record: LogRecord, *, due: bool, edition: int) -> SeenCommand:
    given, digest, problem = None, b"", ""
    try:
        given = decode_command(record.key, record.value, edition)
        digest = command_digest(given)
    except UnreadableRecord as error:
        problem = str(error)
    return SeenCommand(record=record, given=given, digest=digest, problem=problem, due=due)


def _event(record: LogRecord) -> SeenEvent | UnreadEvent:
    try:
        recorded, usual = examined_event(record.value)
    except UnreadableRecord as error:
        return UnreadEvent(record=record, problem=str(error))
    return SeenEvent(record=record, meta=recorded.meta, body=recorded.body, usual=usual)


def _dead_letter(record: LogRecord) -> SeenDeadLetter:
    letter = read_letter(record)
    source_offset = None if letter is None else letter.source.offset
    return SeenDeadLetter(record=record, source_offset=source_offset)


def _resolutions(tools: LogTools, partition: int) -> Iterator[Seen]:
    """The resolutions, with the records that they name. People write these, at most some hundreds,
    so each record is read separately.
    """
    for record in tools.replay(Topic.DEAD_LETTERS, only(tools, partition)):
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
    found = next(tools.replay(topic, only(tools, partition, offset)), None)
    return found if found is not None and found.offset == offset else None


def _source(seen: _Answer | None) -> int:
    if isinstance(seen, SeenEvent):
        return seen.meta.source_offset
    if isinstance(seen, SeenDeadLetter) and seen.source_offset is not None:
        return seen.source_offset
    return _UNKNOWN


def first_opened(tools: LogTools) -> LedgerOpened | None:
    """The `LedgerOpened` of the first partition that has an event."""
    for partition in range(tools.partition_count):
        first = next(iter(tools.replay(Topic.EVENTS, only(tools, partition))), None)
        if first is not None:
            match _event(first):
                case SeenEvent(body=LedgerOpened() as opened):
                    return opened
                case _:
                    return None
    return None
