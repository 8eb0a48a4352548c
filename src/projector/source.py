"""What the projector asks of the events topic: every partition at once, from given positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ledger.log import Batch


class EventSource(Protocol):
    """A plain reader of `refunds.events.v1`, in no group; committed records only."""

    @property
    def topic_id(self) -> str:
        """The topic's own id: one deleted and made again under its name has another."""
        ...

    def ends(self) -> tuple[int, ...]:
        """Per partition the offset after the last record, open transactions included."""
        ...

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> Mapping[int, Batch]:
        """Up to `max_records` records in all from these positions on, by partition; partitions
        without progress are left out. Empty if nothing came in time.
        """
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...
