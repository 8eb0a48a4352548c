"""One outcome per command: every command is decided, and none twice."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    PartitionEnd,
    Seen,
    SeenCommand,
    SeenDeadLetter,
    SeenEvent,
    UnreadEvent,
    divergence,
)
from ledger.audit.scratch import Scratch
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.events import LedgerOpened


class OneOutcomePerCommand:
    """Every command that the decider has processed has all its events, together and numbered from 0
    to count - 1; or a dead letter; or no event, if it repeats account, id and content of another.
    """

    def __init__(self, audited: AuditedPartition) -> None:
        self._command: SeenCommand | None = None
        self._found = 0
        self._count = 0
        self._letters = 0
        self._decided = Scratch()

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
            case PartitionEnd():
                yield from self._close()
            case UnreadEvent():
                return

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
            known = not self._decided.add(
                meta.account_id, meta.causation_id, meta.command_digest.hex()
            )
            if known:
                yield divergence(
                    seen,
                    seen.name,
                    expected=f"command {meta.causation_id} decided once",
                    found="decided once more",
                )
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
        if self._found or self._letters or not command.due:
            return
        given = command.given
        if given is None:
            yield divergence(
                command, expected="a dead letter", found=f"no outcome of {command.problem}"
            )
            return
        meta = given.meta
        if not self._decided.has(meta.account_id, meta.command_id, command_digest(given).hex()):
            yield divergence(
                command, meta.command_id, expected=f"an outcome of {given.name}", found="none"
            )
