"""Framing and schema: every event can be read with only the published schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, UnreadEvent, divergence


class FramingAndSchema:
    """Every event's frame names a schema in schemas/events, by fingerprint or by its registry's id,
    and the event can be read with only that schema.
    """

    heeds: ClassVar[tuple[type, ...]] = (UnreadEvent,)

    def __init__(self, audited: AuditedPartition) -> None:
        pass

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Report an event that could not be read, with the reason."""
        if isinstance(seen, UnreadEvent):
            yield divergence(
                seen, expected="an event of a schema in schemas/events", found=seen.problem
            )
