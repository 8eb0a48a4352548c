"""One outcome per command: every command is decided, and none twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    PartitionEnd,
    Seen,
    SeenCommand,
    SeenDeadLetter,
    SeenEvent,
    divergence,
)
from ledger.audit.kept import Kept
from ledger.vocabulary.events import LedgerOpened


class OneOutcomePerCommand:
    """Every command that the decider has processed has all its events, together and numbered from 0
    to count - 1; or a dead letter; or no event, if it repeats account, id and content of another.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent, SeenDeadLetter, PartitionEnd)

    def __init__(self, audited: AuditedPartition) -> None:
        self._command: SeenCommand | None = None
        self._found = 0
        self._count = 0
        self._letters = 0

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """A command's outcome must be complete at the next command, or at the end."""
        match seen:
            case SeenCommand():
                yield from self._close()
                self._command, self._found, self._count, self._letters = seen, 0, 0, 0
            case SeenEvent(body=LedgerOpened()):
                return
            case SeenEvent():
                yield from self._event(seen)
            case SeenDeadLetter():
                self._letters += 1
            case _:
                yield from self._close()

    def _event(self, seen: SeenEvent) -> Iterator[Divergence]:
        meta = seen.meta
        if self._command is None or self._command.record.offset != meta.source_offset:
            yield divergence(
                seen,
                seen.name,
                expected=f"the events of command {meta.causation_id} together, where it is decided",
                found=f"one that answers offset {meta.source_offset} apart from it",
            )
            return
        if self._found == 0:
            self._count = meta.count
        if (meta.index, meta.count) != (self._found, self._count):
            yield divergence(
                seen,
                seen.name,
                expected=f"index {self._found} of {self._count}",
                found=f"index {meta.index} of {meta.count}",
            )
        self._found += 1

    def _close(self) -> Iterator[Divergence]:
        command = self._command
        if command is None:
            return
        if self._found != self._count:
            yield divergence(
                command, expected=f"{self._count} events", found=f"{self._found} events"
            )
        silent = not self._found and not self._letters
        if silent and command.due and command.given is None:
            yield divergence(
                command, expected="a dead letter", found=f"no outcome of {command.problem}"
            )


class AccountOutcomes:
    """A command is decided once, and one without an outcome repeats a decided one."""

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent, SeenDeadLetter, PartitionEnd)

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._command: SeenCommand | None = None
        self._answered = False
        self._decided = kept

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Whether a command was answered is known at the next one, or at the end."""
        match seen:
            case SeenCommand():
                yield from self._close()
                self._command, self._answered = seen, False
            case SeenEvent(meta=meta, apart=False) if self._is_of_command(meta.source_offset):
                if not self._answered:
                    yield from self._first(seen)
                self._answered = True
            case SeenDeadLetter(source_offset=source) if self._is_of_command(source):
                self._answered = True
            case PartitionEnd():
                yield from self._close()
            case _:
                return

    def _is_of_command(self, source_offset: int | None) -> bool:
        return self._command is not None and self._command.record.offset == source_offset

    def _first(self, seen: SeenEvent) -> Iterator[Divergence]:
        meta = seen.meta
        digest = meta.command_digest.hex()
        if not self._decided.add(meta.account_id, meta.causation_id, digest):
            yield divergence(
                seen,
                seen.name,
                expected=f"command {meta.causation_id} decided once",
                found="decided once more",
            )

    def _close(self) -> Iterator[Divergence]:
        command = self._command
        if command is None or command.given is None or self._answered or not command.due:
            return
        meta = command.given.meta
        if not self._decided.has(meta.account_id, meta.command_id, command.digest.hex()):
            name = command.given.name
            yield divergence(
                command, meta.command_id, expected=f"an outcome of {name}", found="none"
            )
