"""Faults in what people did about dead letters; each returns its place."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.log.seam import LogRecord, Topic
from ledger.wire.dead_letters.closing import Resolution, Resolved, resolution_record
from ledger.wire.dead_letters.headers import Place as Source
from ledger.wire.dead_letters.letter import read_letter
from tests.ledger.audit.recorded import Place, RecordedLog, put


def redriven(s: RecordedLog) -> LogRecord:
    """Give the letter of the first partition back, whole: its copy and its resolution."""
    record = s.letters(0)[0]
    letter = read_letter(record)
    assert letter is not None
    end = max(s.commands(0)[-1].offset + 1, s.decided[0] or 0)
    copy = replace(record, offset=end, headers=letter.original_headers)
    s.commands(0).append(copy)
    return closed(s, copy=Source(partition=0, offset=copy.offset))


def closed(s: RecordedLog, copy: Source | None = None, **changes: object) -> LogRecord:
    """Close the letter of the first partition; its resolution."""
    record = s.letters(0)[0]
    letter = read_letter(record)
    assert letter is not None
    resolution = Resolution(
        kind=Resolved.DISCARDED if copy is None else Resolved.REDRIVEN,
        source=letter.source,
        letter_offset=record.offset,
        actor="ops-1",
        reason="a load test",
        copy=copy,
    )
    outgoing = resolution_record(replace(resolution, **changes), record.key)
    found = LogRecord(
        partition=0,
        offset=s.letters(0)[-1].offset + 2,
        appended_at=record.appended_at,
        key=outgoing.key,
        value=outgoing.value,
        headers=outgoing.headers,
    )
    s.letters(0).append(found)
    return found


def of(found: LogRecord) -> Place:
    return (Topic.DEAD_LETTERS, found.partition, found.offset)


def closed_twice(s: RecordedLog) -> Place:
    closed(s)
    return of(closed(s))


def discarded_and_redriven(s: RecordedLog) -> Place:
    closed(s)
    return of(redriven(s))


def closed_what_is_not_there(s: RecordedLog) -> Place:
    return of(closed(s, source=Source(partition=0, offset=9_999)))


def closed_before_it_was_set_aside(s: RecordedLog) -> Place:
    found = closed(s)
    return of(closed(s, letter_offset=found.offset + 4))


def closed_by_nobody(s: RecordedLog) -> Place:
    return of(closed(s, actor=""))


def discarded_without_a_reason(s: RecordedLog) -> Place:
    return of(closed(s, reason=""))


def redriven_to_nowhere(s: RecordedLog) -> Place:
    return of(closed(s, copy=Source(partition=0, offset=9_999)))


def redriven_to_a_partition_that_is_not_there(s: RecordedLog) -> Place:
    return of(closed(s, copy=Source(partition=77, offset=0)))


def redriven_as_something_else(s: RecordedLog) -> Place:
    found = redriven(s)
    put(s, Topic.COMMANDS, 0, -1, value=b"\xc3\x01other rubbish")
    return of(found)


def redriven_under_other_headers(s: RecordedLog) -> Place:
    found = redriven(s)
    put(s, Topic.COMMANDS, 0, -1, headers=())
    return of(found)


def redriven_as_itself(s: RecordedLog) -> Place:
    letter = read_letter(s.letters(0)[0])
    assert letter is not None
    return of(closed(s, copy=letter.source))


def resolution_without_sense(s: RecordedLog) -> Place:
    found = closed(s)
    headers = tuple(
        (name, b"FORGIVEN" if name.endswith("resolution") else text) for name, text in found.headers
    )
    return put(s, Topic.DEAD_LETTERS, 0, -1, headers=headers)
