"""Redrives dead letters to the decider, or discards them.

The dead letters topic itself records this: a later record, the resolution, closes a letter, and a
letter has at most one. A redriven record is copied with the same key, value and headers, and is
judged like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from consumers.dead_letters.status import LetterStatus, letters_of
from ledger.log.seam import LogTools, OnlyWriter, Outgoing, Published, Topic
from ledger.values.ids import partition_of
from ledger.wire.dead_letters.closing import Resolution, Resolved, resolution_record
from ledger.wire.dead_letters.headers import Place
from ledger.wire.dead_letters.letter import Letter

WRITER = "refunds.dlq"
"""The transactional id of the only writer of resolutions; permanent, like a group id."""
TOGETHER_LETTERS = 500
TOGETHER_BYTES = 4 * 1024 * 1024


class Order(Struct, frozen=True, kw_only=True):
    """What to do, who requests it, and why."""

    kind: Resolved
    actor: str
    reason: str


def resolve(
    tools: LogTools, writer: OnlyWriter, chosen: Collection[LetterStatus], order: Order
) -> Iterator[Resolution]:
    """Close letters from `settled_standings`, all of them open; yields each when it is closed.

    1. Read the letters of one transaction again. 2. Write the copies of those to redrive and, when
    their offsets are known, the resolutions, in one transaction.
    A crash before 2 leaves nothing; after a crash between two transactions the letters of the first
    are closed, and the next run skips them.
    """
    assert all(standing.resolution is None for standing in chosen)
    for together in _together(letters_of(tools, chosen)):
        yield from _resolve(tools.partition_count, writer, together, order)


def _resolve(
    partition_count: int, writer: OnlyWriter, letters: Sequence[Letter], order: Order
) -> list[Resolution]:
    resolutions: list[Resolution] = []

    def close(places: tuple[Published, ...]) -> list[Outgoing]:
        copies = [Place(partition=each.partition, offset=each.offset) for each in places]
        resolutions[:] = [
            Resolution(
                kind=order.kind,
                source=letter.source,
                letter_offset=letter.record.offset,
                actor=order.actor,
                reason=order.reason,
                copy=copies[number] if copies else None,
            )
            for number, letter in enumerate(letters)
        ]
        return [
            resolution_record(resolution, letter.record.key)
            for resolution, letter in zip(resolutions, letters, strict=True)
        ]

    redriven = order.kind is Resolved.REDRIVEN
    writer.write([_copy(each, partition_count) for each in letters] if redriven else [], close)
    return resolutions


def _copy(letter: Letter, partition_count: int) -> Outgoing:
    """The unchanged record, for the partition of its key, even if it came on a wrong partition."""
    key = letter.record.key
    return Outgoing(
        topic=Topic.COMMANDS,
        partition=letter.source.partition if key is None else partition_of(key, partition_count),
        key=key,
        value=letter.record.value,
        headers=letter.original_headers,
    )


def _together(letters: Iterator[Letter]) -> Iterator[list[Letter]]:
    """Groups of letters for one transaction each."""
    run: list[Letter] = []
    size = 0
    for letter in letters:
        size += len(letter.record.value or b"")
        run.append(letter)
        if len(run) == TOGETHER_LETTERS or size >= TOGETHER_BYTES:
            yield run
            run, size = [], 0
    if run:
        yield run
