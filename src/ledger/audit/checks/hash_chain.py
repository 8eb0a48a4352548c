"""Hash chain: every event has the hash of the event before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    Seen,
    SeenEvent,
    UnreadEvent,
    divergence,
)
from ledger.wire.avro.codec import body_hash


class HashChain:
    """Every event's prev_hash is the SHA-256 of the Avro body of the event before it in the
    partition; the prev_hash of the first event is zeros.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenEvent, UnreadEvent)

    def __init__(self, audited: AuditedPartition) -> None:
        self._last = audited.begin.last_hash

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Compare with the bytes of the event before, even if it cannot be read."""
        if not isinstance(seen, SeenEvent | UnreadEvent):
            return ()
        last, self._last = self._last, body_hash(seen.record.value or b"")
        if not isinstance(seen, SeenEvent) or seen.meta.prev_hash == last:
            return ()
        expected, found = f"prev_hash {last.hex()}", f"prev_hash {seen.meta.prev_hash.hex()}"
        return (divergence(seen, seen.name, expected=expected, found=found),)
