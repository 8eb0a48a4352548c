"""Gapless sequences: no event is missing, repeated or moved."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    Seen,
    SeenEvent,
    UnreadEvent,
    divergence,
)
from ledger.audit.scratch import Scratch
from ledger.vocabulary.events import LedgerOpened


class _Last(Struct, frozen=True):
    sequence: int


class GaplessSequences:
    """log_sequence counts the events of a partition from 0, and sequence those of an account from
    1, both without a gap.
    """

    def __init__(self, audited: AuditedPartition) -> None:
        self._next = 0
        self._accounts = Scratch()

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """An event that cannot be read also counts."""
        if isinstance(seen, UnreadEvent):
            self._next += 1
        if not isinstance(seen, SeenEvent):
            return
        meta = seen.meta
        if meta.log_sequence != self._next:
            yield divergence(
                seen,
                seen.name,
                expected=f"log_sequence {self._next}",
                found=f"log_sequence {meta.log_sequence}",
            )
        self._next += 1
        if isinstance(seen.body, LedgerOpened):
            return
        last = self._accounts.find(_Last, meta.account_id)
        sequence = 1 if last is None else last.sequence + 1
        if meta.sequence != sequence:
            yield divergence(
                seen,
                seen.name,
                expected=f"sequence {sequence}",
                found=f"sequence {meta.sequence}",
            )
        self._accounts.keep(_Last(meta.sequence), meta.account_id)
