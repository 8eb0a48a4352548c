"""One outcome per command: every command is decided, and none twice."""

from __future__ import annotations

from collections.abc import Iterable
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

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """A command's outcome must be complete at the next command, or at the end."""
        if isinstance(seen, SeenEvent):
            return () if isinstance(seen.body, LedgerOpened) else self._event(seen)
        if isinstance(seen, SeenDeadLetter):
            self._letters += 1
            return ()
        unfinished = self._close()
        if isinstance(seen, SeenCommand):
            self._command, self._found, self._count, self._letters = seen, 0, 0, 0
        return unfinished

    def _event(self, seen: SeenEvent) -> Iterable[Divergence]:
        meta, command = seen.meta, self._command
        if command is None or command.record.offset != meta.source_offset:
            expected = f"the events of command {meta.causation_id} together, where it is decided"
            found = f"one that answers offset {meta.source_offset} apart from it"
            return (divergence(seen, seen.name, expected=expected, found=found),)
        number, self._found = self._found, self._found + 1
        if number == 0:
            self._count = meta.count
        if meta.index == number and meta.count == self._count:
            return ()
        expected, found = f"index {number} of {self._count}", f"index {meta.index} of {meta.count}"
        return (divergence(seen, seen.name, expected=expected, found=found),)

    def _close(self) -> Iterable[Divergence]:
        command = self._command
        if command is None:
            return ()
        if self._found != self._count:
            expected, found = f"{self._count} events", f"{self._found} events"
            return (divergence(command, expected=expected, found=found),)
        silent = not self._found and not self._letters
        if silent and command.due and command.given is None:
            found = f"no outcome of {command.problem}"
            return (divergence(command, expected="a dead letter", found=found),)
        return ()


class AccountOutcomes:
    """A command is decided once, and one without an outcome repeats a decided one."""

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent, SeenDeadLetter, PartitionEnd)

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._command: SeenCommand | None = None
        self._answered = False
        self._decided = kept

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Whether a command was answered is known at the next one, or at the end."""
        if isinstance(seen, SeenCommand):
            unanswered = self._close()
            self._command, self._answered = seen, False
            return unanswered
        if isinstance(seen, SeenEvent):
            if seen.apart or not self._is_of_command(seen.meta.source_offset):
                return ()
            was_answered, self._answered = self._answered, True
            return () if was_answered else self._first(seen)
        if isinstance(seen, SeenDeadLetter):
            self._answered = self._answered or self._is_of_command(seen.source_offset)
            return ()
        return self._close()

    def _is_of_command(self, source_offset: int | None) -> bool:
        return self._command is not None and self._command.record.offset == source_offset

    def _first(self, seen: SeenEvent) -> Iterable[Divergence]:
        meta = seen.meta
        if self._decided.add(meta.account_id, meta.causation_id, meta.command_digest):
            return ()
        expected = f"command {meta.causation_id} decided once"
        return (divergence(seen, seen.name, expected=expected, found="decided once more"),)

    def _close(self) -> Iterable[Divergence]:
        command = self._command
        if command is None or command.given is None or self._answered or not command.due:
            return ()
        meta = command.given.meta
        if self._decided.has(meta.account_id, meta.command_id, command.digest):
            return ()
        expected = f"an outcome of {command.given.name}"
        return (divergence(command, meta.command_id, expected=expected, found="none"),)
