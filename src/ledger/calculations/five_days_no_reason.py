"""Five days, no reason: when a return refunds the complete amount paid."""

from __future__ import annotations

from ledger.state.entities import InstanceOrder
from ledger.values.instants import HOUR, Instant
from ledger.vocabulary.shapes import OrderKind


def within_five_days(running: InstanceOrder | None, now: Instant, hours: int) -> bool:
    """Is the running order a new one, delivered at most `hours` (120) ago, the end included?

    Source: seed 000 (5天无理由). By hand: delivered 1 Jan 00:00, returned at exactly 6 Jan 00:00:
    120 h, inside; a microsecond later: outside. A renewal never qualifies.
    """
    return (
        running is not None
        and running.kind is OrderKind.NEW
        and now - running.delivered_at <= hours * HOUR
    )
