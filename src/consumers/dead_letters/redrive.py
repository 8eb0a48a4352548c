"""What people do about dead letters: give one back to the decider, or close it for good.

The dead letters topic itself is the record: behind a letter stands the resolution that closes it,
and a letter has at most one. A redriven record goes back as it came, key, value and headers, and is
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
"""The name of the one writer of resolutions; permanent, as a group's is."""
TOGETHER_LETTERS = 500
TOGETHER_BYTES = 4 * 1024 * 1024


class Order(Struct, frozen=True, kw_only=True):
    """What is to be done, who says so, and why."""

    kind: Resolved
    actor: str
    reason: str


def resolve(
    tools: LogTools, writer: OnlyWriter, chosen: Collection[LetterStatus], order: Order
) -> Iterator[Resolution]:
    """Close the letters chosen among `settled_standings`, all open; gives each once it is closed.

    1. Read the letters again, as many as go together. 2. Write the copies of those to be redriven
    and, when it is known where they stand, the resolutions, in one transaction.
    A crash before 2 leaves nothing behind; between two transactions the letters of the first are
    closed, and who runs it again passes them over.
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
    """The record as it came, on the partition of its key: one sent to a wrong one goes home."""
    key = letter.record.key
    return Outgoing(
        topic=Topic.COMMANDS,
        partition=letter.source.partition if key is None else partition_of(key, partition_count),
        key=key,
        value=letter.record.value,
        headers=letter.original_headers,
    )


def _together(letters: Iterator[Letter]) -> Iterator[list[Letter]]:
    """Runs of letters that go into one transaction."""
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
