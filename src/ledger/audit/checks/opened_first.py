"""Opened first: every partition begins with the ledger that it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    PartitionEnd,
    Seen,
    SeenEvent,
    UnreadEvent,
    divergence,
)
from ledger.log.seam import Topic
from ledger.vocabulary.envelope import ZERO_HASH
from ledger.vocabulary.events import LedgerOpened
from ledger.vocabulary.shapes import Role


class OpenedFirst:
    """LedgerOpened is the first event of every partition and is not repeated; all partitions name
    the same ledger, with the right partition count.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenEvent, UnreadEvent, PartitionEnd)

    def __init__(self, audited: AuditedPartition) -> None:
        self._audited = audited
        self._is_first = audited.begin.log_sequence == 0

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Check the first event; after it, that the ledger is not opened again."""
        if isinstance(seen, SeenEvent | UnreadEvent):
            was_first, self._is_first = self._is_first, False
            return self._first(seen) if was_first else _later(seen)
        if isinstance(seen, PartitionEnd) and self._is_first and self._audited.decided is not None:
            return (self._missing(seen, self._audited.decided),)
        return ()

    def _missing(self, seen: PartitionEnd, decided: int) -> Divergence:
        return Divergence(
            topic=Topic.EVENTS,
            partition=seen.partition,
            offset=0,
            key="",
            expected="LedgerOpened as the first event",
            found=f"no event, though commands before {decided} are decided",
        )

    def _first(self, seen: SeenEvent | UnreadEvent) -> Iterator[Divergence]:
        if isinstance(seen, UnreadEvent) or not isinstance(seen.body, LedgerOpened):
            instead = seen.problem if isinstance(seen, UnreadEvent) else seen.name
            yield divergence(seen, expected="LedgerOpened as the first event", found=instead)
            return
        body, meta = seen.body, seen.meta
        first, count = self._audited.opened or body, self._audited.partition_count
        facts: tuple[tuple[str, object, object], ...] = (
            ("partition_count", count, body.partition_count),
            ("topic_ids", first.topic_ids, body.topic_ids),
            ("sandbox", first.sandbox, body.sandbox),
            ("key", None, seen.record.key),
            ("account_id", "", meta.account_id),
            ("sequence", 0, meta.sequence),
            ("log_sequence", 0, meta.log_sequence),
            ("prev_hash", ZERO_HASH.hex(), meta.prev_hash.hex()),
            ("source_partition", seen.record.partition, meta.source_partition),
            ("source_offset", -1, meta.source_offset),
            ("recorded_at", 0, meta.recorded_at),
            ("occurred_at", 0, meta.occurred_at),
            ("actor's role", Role.SYSTEM.value, meta.actor.role.value),
        )
        for name, expected, found in facts:
            if expected != found:
                yield divergence(
                    seen, seen.name, expected=f"{name} {expected}", found=f"{name} {found}"
                )


def _later(seen: SeenEvent | UnreadEvent) -> Iterable[Divergence]:
    if isinstance(seen, SeenEvent) and isinstance(seen.body, LedgerOpened):
        return (divergence(seen, expected="any other event", found="LedgerOpened once more"),)
    return ()
