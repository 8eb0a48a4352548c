"""Reads dead letters from the end of their topic back, however many there are before."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from console.web.log_records import LogRecords
from consumers.dead_letters.status import LetterStatus, statuses_of
from ledger.log.seam import LogRecord, Topic

ENOUGH, ROUNDS = 100, 10
"""Letters of a page, and how often it reads on where most are closed."""
MOST_AHEAD = 5_000
"""Offsets after some letters in which it is looked for what became of them."""
_LETTERS = Topic.DEAD_LETTERS


class Newest(Struct, frozen=True, kw_only=True):
    """Some letters, the newest first. `older` has for each partition the offset where those before
    them end; None where there are none. `unsure`: a letter that looks open may be closed.
    """

    letters: tuple[LetterStatus, ...]
    older: tuple[int, ...] | None
    unsure: bool


def newest(records: LogRecords, before: Sequence[int] | None, *, closed: bool) -> Newest:
    """The newest letters, or the newest before these offsets; the open ones, or the closed too.

    1. Read what follows, where a letter's closing stands. 2. Read back by windows, from each
    partition as many offsets, until there are enough letters, or many windows were read.
    """
    ends = records.ends(_LETTERS)
    starts = [min(pair) for pair in zip(before or ends, ends, strict=True)]
    reached = [min(start + MOST_AHEAD, end) for start, end in zip(starts, ends, strict=True)]
    found: list[LogRecord] = []
    for partition, (start, until) in enumerate(zip(starts, reached, strict=True)):
        found += records.between(_LETTERS, partition, start, until)
    window = max(1, ENOUGH // len(ends))
    begun, letters = tuple(starts), list[LetterStatus]()
    for _ in range(ROUNDS):
        for partition, until in enumerate(starts):
            starts[partition] = max(0, until - window)
            found += records.between(_LETTERS, partition, starts[partition], until)
        found.sort(key=lambda each: (each.partition, each.offset))
        letters = [
            each
            for each in statuses_of(found).values()
            if each.letter_offset < begun[each.source.partition]
            and (closed or each.resolution is None)
        ]
        if len(letters) >= ENOUGH or not any(starts):
            break
    letters.sort(key=lambda each: (each.set_aside_at, each.source), reverse=True)
    return Newest(
        letters=tuple(letters),
        older=tuple(starts) if any(starts) else None,
        unsure=tuple(reached) != ends,
    )


def letter_at(records: LogRecords, partition: int, offset: int) -> tuple[LetterStatus | None, bool]:
    """The letter at an offset of its topic, and whether one that looks open may be closed."""
    ends = records.ends(_LETTERS)
    if partition >= len(ends):
        return None, False
    until = min(offset + MOST_AHEAD, ends[partition])
    found = statuses_of(records.between(_LETTERS, partition, offset, until)).values()
    there = next((each for each in found if each.letter_offset == offset), None)
    return there, until < ends[partition]
