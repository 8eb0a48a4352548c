"""Framing and schema: every record of the ledger can be read, with the published schemas alone."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, UnreadEvent, divergence


class FramingAndSchema:
    """Every event's frame names a schema in schemas/events, by fingerprint or by its registry's id,
    and it can be read with that schema alone.
    """

    def __init__(self, audited: AuditedPartition) -> None:
        pass

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """An event that could not be read says why."""
        if isinstance(seen, UnreadEvent):
            yield divergence(
                seen, expected="an event of a schema in schemas/events", found=seen.problem
            )
