"""Partition and key: an account's events are in the partition of its key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.values.ids import partition_of
from ledger.vocabulary.events import LedgerOpened


class PartitionAndKey:
    """Every event's key is its account's id, and its partition is the murmur2 of that key over the
    partition count.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenEvent,)

    def __init__(self, audited: AuditedPartition) -> None:
        self._partition_count = audited.partition_count

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """LedgerOpened has no account and no key."""
        if not isinstance(seen, SeenEvent) or isinstance(seen.body, LedgerOpened):
            return ()
        key = seen.meta.account_id.encode()
        if seen.record.key != key:
            expected, found = f"key {key!r}", f"key {seen.record.key!r}"
            return (divergence(seen, seen.name, expected=expected, found=found),)
        home = partition_of(key, self._partition_count)
        if home != seen.record.partition:
            expected, found = f"partition {home}", f"partition {seen.record.partition}"
            return (divergence(seen, seen.name, expected=expected, found=found),)
        return ()
