"""Gapless sequences: no event is missing, repeated or moved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from msgspec import Struct

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    Seen,
    SeenEvent,
    UnreadEvent,
    divergence,
)
from ledger.audit.kept import Kept
from ledger.vocabulary.events import LedgerOpened


class _Last(Struct, frozen=True):
    sequence: int


class GaplessSequences:
    """log_sequence counts the events of a partition from 0, and sequence those of an account from
    1, both without a gap.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenEvent, UnreadEvent)

    def __init__(self, audited: AuditedPartition) -> None:
        self._next = audited.begin.log_sequence

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """An event that cannot be read also counts."""
        number, self._next = self._next, self._next + 1
        if not isinstance(seen, SeenEvent) or seen.meta.log_sequence == number:
            return ()
        expected, found = f"log_sequence {number}", f"log_sequence {seen.meta.log_sequence}"
        return (divergence(seen, seen.name, expected=expected, found=found),)


class AccountSequences:
    """The sequence of an account's events."""

    heeds: ClassVar[tuple[type, ...]] = (SeenEvent,)

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._accounts = kept

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """LedgerOpened has no account."""
        if not isinstance(seen, SeenEvent) or isinstance(seen.body, LedgerOpened):
            return ()
        meta = seen.meta
        last = self._accounts.find(_Last, meta.account_id)
        sequence = 1 if last is None else last.sequence + 1
        self._accounts.keep(_Last(meta.sequence), meta.account_id)
        if meta.sequence == sequence:
            return ()
        expected, found = f"sequence {sequence}", f"sequence {meta.sequence}"
        return (divergence(seen, seen.name, expected=expected, found=found),)
