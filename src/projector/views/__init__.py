"""The read models, one file for each; each is a pure fold of events into row changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ledger.vocabulary.envelope import RecordedEvent
from projector.rows.changes import RowChange
from projector.rows.tables import Table
from projector.views import (
    accounts,
    annual_refund_totals,
    balances,
    instances,
    outcomes,
    postings,
    recycle_bin,
    refunds,
    refusals,
    reservations,
)


class View(Protocol):
    """The interface of each file in this folder: its table, and the row changes of an event."""

    TABLE: Table

    def changes(self, recorded: RecordedEvent) -> Sequence[RowChange]:
        """The row changes of one event; empty if the event does not change the view."""
        ...


VIEWS: tuple[View, ...] = (
    accounts,
    balances,
    instances,
    recycle_bin,
    refunds,
    annual_refund_totals,
    reservations,
    refusals,
    postings,
    outcomes,
)
"""Every view, in the order their tables are written."""
