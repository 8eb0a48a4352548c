"""Canonical bytes: an event has one encoding, and the log has that encoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.wire.avro.codec import UnreadableRecord, rewritten_event


class CanonicalBytes:
    """Every event that is decoded and encoded again gives the same bytes."""

    heeds: ClassVar[tuple[type, ...]] = (SeenEvent,)

    def __init__(self, audited: AuditedPartition) -> None:
        pass

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Encode again what was not seen to be the only encoding while it was read."""
        if not isinstance(seen, SeenEvent) or seen.usual:
            return ()
        return self._rewritten(seen)

    def _rewritten(self, seen: SeenEvent) -> Iterator[Divergence]:
        value = seen.record.value or b""
        try:
            rewritten = rewritten_event(value)
        except UnreadableRecord as error:
            yield divergence(seen, seen.name, expected="the one encoding", found=error)
            return
        if rewritten != value:
            place = next(
                (i for i, (a, b) in enumerate(zip(rewritten, value, strict=False)) if a != b),
                min(len(rewritten), len(value)),
            )
            yield divergence(
                seen,
                seen.name,
                expected=_excerpt(rewritten, place),
                found=_excerpt(value, place),
            )


def _excerpt(value: bytes, place: int) -> str:
    return f"{len(value)} bytes, from byte {place} on {value[place : place + 8].hex() or 'nothing'}"
