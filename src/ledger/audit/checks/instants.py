"""Instants: times are the broker's, or the sandbox's, and never go back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    Seen,
    SeenCommand,
    SeenEvent,
    divergence,
    instant_told,
)
from ledger.values.instants import Instant
from ledger.vocabulary.events import LedgerOpened


class Instants:
    """recorded_at is the append time of the command (its sandbox_at in a sandbox), or the last
    recorded instant of the partition if that is later; and no event occurs after it is recorded.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent)

    def __init__(self, audited: AuditedPartition) -> None:
        self._opened = audited.opened
        self._command: SeenCommand | None = None
        self._last: Instant = audited.begin.recorded_at

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Compare each event with the last command before it, and with the event before it."""
        if isinstance(seen, SeenCommand):
            self._command = seen
        if not isinstance(seen, SeenEvent) or isinstance(seen.body, LedgerOpened):
            return ()
        meta = seen.meta
        stamp = self._stamp(meta.source_offset)
        due = max(self._last, meta.recorded_at if stamp is None else stamp)
        self._last = max(self._last, meta.recorded_at)
        if meta.recorded_at != due:
            expected = f"recorded at {instant_told(due)}"
            found = f"recorded at {instant_told(meta.recorded_at)}"
        elif meta.occurred_at > meta.recorded_at:
            expected = f"occurred by {instant_told(meta.recorded_at)}"
            found = f"occurred at {instant_told(meta.occurred_at)}"
        else:
            return ()
        return (divergence(seen, seen.name, expected=expected, found=found),)

    def _stamp(self, source_offset: int) -> Instant | None:
        """The command's instant; None if the command is missing."""
        command = self._command
        if command is None or self._opened is None or command.record.offset != source_offset:
            return None
        if not self._opened.sandbox:
            return command.record.appended_at
        return None if command.given is None else command.given.meta.sandbox_at
