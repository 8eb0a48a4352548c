"""Dead letters: each is an unchanged copy of a record that was not decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    Seen,
    SeenCommand,
    SeenDeadLetter,
    SeenEvent,
    divergence,
)
from ledger.log.seam import Topic
from ledger.wire.avro.codec import Unreadable
from ledger.wire.dead_letters.letter import ERRORS


class DeadLetters:
    """Every dead letter names a command record and has its key, value and headers unchanged, with a
    reason from the fixed list; a command has at most one, and none if it was decided.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent, SeenDeadLetter)

    def __init__(self, audited: AuditedPartition) -> None:
        self._partition = audited.partition
        self._command: SeenCommand | None = None
        self._decided = False
        self._letters = 0

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Compare each letter with the last command before it."""
        if isinstance(seen, SeenCommand):
            self._command, self._decided, self._letters = seen, False, 0
        elif isinstance(seen, SeenEvent):
            if self._command is not None:
                offset = self._command.record.offset
                self._decided = self._decided or seen.meta.source_offset == offset
        elif isinstance(seen, SeenDeadLetter):
            return self._letter(seen)
        return ()

    def _letter(self, seen: SeenDeadLetter) -> Iterator[Divergence]:
        headers, command = dict(seen.record.headers), self._command
        for name, expected in (("topic", Topic.COMMANDS.value), ("partition", self._partition)):
            found = headers.get(ERRORS + name, b"").decode(errors="replace")
            if found != str(expected):
                yield divergence(seen, expected=f"{name} {expected}", found=f"{name} {found!r}")
        reason = headers.get(f"{ERRORS}exception.class.name", b"").decode(errors="replace")
        if reason not in set(Unreadable):
            yield divergence(
                seen, expected=f"a reason of {', '.join(Unreadable)}", found=f"reason {reason!r}"
            )
        if command is None or command.record.offset != seen.source_offset:
            yield divergence(
                seen,
                expected=f"a command at offset {seen.source_offset}",
                found="none there that this dead letter could follow",
            )
            return
        self._letters += 1
        yield from self._unchanged(seen, command)
        if self._decided or self._letters > 1:
            yield divergence(
                seen,
                expected=f"one outcome of the command at offset {seen.source_offset}",
                found="events and a dead letter" if self._decided else "two dead letters",
            )

    def _unchanged(self, seen: SeenDeadLetter, command: SeenCommand) -> Iterator[Divergence]:
        letter, original = seen.record, command.record
        facts: tuple[tuple[str, object, object], ...] = (
            ("key", original.key, letter.key),
            ("value", _hex(original.value), _hex(letter.value)),
            ("headers", original.headers, letter.headers[: len(original.headers)]),
        )
        for name, expected, found in facts:
            if expected != found:
                yield divergence(
                    seen, expected=f"{name} {expected!s:.200}", found=f"{name} {found!s:.200}"
                )


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
