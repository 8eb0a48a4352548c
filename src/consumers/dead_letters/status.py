"""The status of each dead letter (open, redriven or discarded), read from the topic itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from ledger.log.seam import LogRecord, LogTools, OnlyWriter, Topic
from ledger.values.instants import Instant
from ledger.wire.dead_letters.closing import Resolution, read_resolution
from ledger.wire.dead_letters.headers import Place
from ledger.wire.dead_letters.letter import Letter, read_letter


class LetterStatus(Struct, frozen=True, kw_only=True):
    """A letter without its bytes, and its resolution. `resolved_at` is the broker's append time."""

    source: Place
    letter_offset: int
    set_aside_at: Instant
    key: bytes | None
    size: int
    command_id: str
    reason: str
    detail: str
    resolution: Resolution | None = None
    resolved_at: Instant | None = None


def letter_statuses(tools: LogTools) -> dict[Place, LetterStatus]:
    """Every letter by the position of its record, in that order. If a record was copied twice, by a
    decider whose offset was lost, only the first copy counts.
    """
    return statuses_of(tools.replay(Topic.DEAD_LETTERS))


def statuses_of(records: Iterable[LogRecord]) -> dict[Place, LetterStatus]:
    """The same, as far as some records of the topic say, which come in the order of the topic."""
    letters: dict[Place, LetterStatus] = {}
    resolved: dict[Place, tuple[Resolution, Instant]] = {}
    for record in records:
        letter = read_letter(record)
        if letter is not None:
            letters.setdefault(letter.source, _standing(letter))
            continue
        resolution = read_resolution(record)
        if resolution is not None:
            resolved.setdefault(resolution.source, (resolution, record.appended_at))
    return {
        source: _closed(standing, resolved.get(source))
        for source, standing in sorted(letters.items())
    }


def settled_letter_statuses(tools: LogTools, writer: OnlyWriter) -> dict[Place, LetterStatus]:
    """The status of every letter, which only this writer can change until it is replaced.

    The writer must have been opened before: from then on nobody else can resolve a letter.
    """
    writer.await_settled(Topic.DEAD_LETTERS)
    return letter_statuses(tools)


def letter_of(tools: LogTools, standing: LetterStatus) -> Letter:
    """The letter with its bytes."""
    found = next(letters_of(tools, [standing]), None)
    assert found is not None, f"letter {standing.source} is missing in the log"
    return found


def letters_of(tools: LogTools, chosen: Collection[LetterStatus]) -> Iterator[Letter]:
    """The letters with their bytes, in order of partition and offset."""
    wanted = {(each.source.partition, each.letter_offset) for each in chosen}
    ends = tools.end_offsets(Topic.DEAD_LETTERS)
    starts = [
        min((offset for place, offset in wanted if place == partition), default=end)
        for partition, end in enumerate(ends)
    ]
    for record in tools.replay(Topic.DEAD_LETTERS, starts):
        if (record.partition, record.offset) in wanted:
            letter = read_letter(record)
            assert letter is not None
            yield letter


def _standing(letter: Letter) -> LetterStatus:
    record = letter.record
    return LetterStatus(
        source=letter.source,
        letter_offset=record.offset,
        set_aside_at=record.appended_at,
        key=record.key,
        size=len(record.value or b""),
        command_id=dict(letter.original_headers).get("ce_id", b"").decode(errors="replace")[:100],
        reason=letter.reason,
        detail=letter.detail,
    )


def _closed(standing: LetterStatus, found: tuple[Resolution, Instant] | None) -> LetterStatus:
    if found is None:
        return standing
    resolution, resolved_at = found
    return replace(standing, resolution=resolution, resolved_at=resolved_at)
