"""Letters closed once: a dead letter is closed at most once, with an actor and a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenResolution, divergence
from ledger.log.seam import LogRecord
from ledger.wire.dead_letters.closing import Resolution, Resolved
from ledger.wire.dead_letters.headers import Place
from ledger.wire.dead_letters.letter import Letter, read_letter


class LettersClosedOnce:
    """Every resolution closes an earlier dead letter of its partition that no other resolution
    closes; it names the actor, and a reason if the letter was discarded; if it was redriven, it
    names a later command record with the same key, value and headers, which no other names.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenResolution,)

    def __init__(self, audited: AuditedPartition) -> None:
        self._partition = audited.partition
        self._closed: set[int] = set()
        self._copies: set[Place] = set()

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Compare each resolution with the letter and the copy that it names."""
        if not isinstance(seen, SeenResolution):
            return
        found = seen.resolution
        if found is None:
            yield divergence(seen, expected="a resolution", found=f"headers {seen.record.headers}")
            return
        yield from self._closes(seen, found)
        if not found.actor or (found.kind is Resolved.DISCARDED and not found.reason):
            yield divergence(
                seen,
                expected="a name, and a reason of what was discarded",
                found=f"actor {found.actor!r}, reason {found.reason!r}",
            )

    def _closes(self, seen: SeenResolution, found: Resolution) -> Iterator[Divergence]:
        letter = read_letter(seen.letter) if seen.letter is not None else None
        before = found.letter_offset < seen.record.offset
        own = found.source.partition == self._partition
        if letter is None or letter.source != found.source or not (before and own):
            yield divergence(
                seen,
                expected=f"the letter {found.source} before it, at offset {found.letter_offset}",
                found="none there",
            )
            return
        if found.source.offset in self._closed:
            yield divergence(
                seen, expected=f"one resolution of letter {found.source}", found="a second one"
            )
        self._closed.add(found.source.offset)
        if found.copy is not None:
            yield from self._same_again(seen, letter, found.copy)

    def _same_again(
        self, seen: SeenResolution, letter: Letter, place: Place
    ) -> Iterator[Divergence]:
        copy = seen.copy
        if copy is None or place in self._copies or not _is_copy(letter, place, copy):
            yield divergence(
                seen,
                expected=f"a copy of letter {letter.source} at {place}, and of it alone",
                found="no such record" if copy is None else f"another, {_told(copy)}",
            )
        self._copies.add(place)


def _is_copy(letter: Letter, place: Place, copy: LogRecord) -> bool:
    original = letter.record
    return (
        place != letter.source
        and copy.appended_at >= original.appended_at
        and (copy.key, copy.value) == (original.key, original.value)
        and copy.headers == letter.original_headers
    )


def _told(record: LogRecord) -> str:
    begins = (record.value or b"")[:16].hex()
    return f"key {record.key!r}, value {begins}…, appended at {record.appended_at}"
