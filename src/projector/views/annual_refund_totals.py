"""How much was refunded to an account within a rolling year, and how much of it uses the cap?

The table keeps one fact per refund; the SQL view adds up those less than 365 days old.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import RefundCorrected, RefundIssued, ReservationExchanged
from ledger.vocabulary.shapes import CapUse
from projector.rows.changes import Insert, RowChange, Set
from projector.rows.tables import BIGINT, BOOLEAN, TEXT, Table

TABLE = Table(
    name="annual_refund_totals",
    key=("account_id", "refund_id"),
    columns={
        "account_id": TEXT,
        "refund_id": TEXT,
        "recorded_at": BIGINT,
        "occurred_at": BIGINT,
        "counts": BOOLEAN,
        "currency": TEXT,
        "amount": BIGINT,
        "refund_usd": BIGINT,
        "cancelled_commitment_usd": BIGINT,
        "usd_rate": TEXT,
        "corrected_at": BIGINT,
        "cap_restored": BOOLEAN,
    },
)


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """Every refund counts from the instant it was decided; the legs of an exchange never do.

    A corrected refund no longer counts in the amounts; it still counts for the cap unless its use
    was restored.
    """
    match recorded.body:
        case RefundIssued() as body:
            return (_fact(recorded, body.refund_id, body.currency, body.amount, body.cap),)
        case ReservationExchanged() as body:
            return tuple(
                _fact(recorded, leg.refund_id, body.currency, leg.value, None, counts=False)
                for leg in body.returned
            )
        case RefundCorrected() as body:
            return (
                Set(
                    table=TABLE,
                    key=(recorded.meta.account_id, body.refund_id),
                    columns={
                        "corrected_at": recorded.meta.recorded_at,
                        "cap_restored": body.cap_restored,
                    },
                ),
            )
        case _:
            return ()


def _fact(
    recorded: RecordedEvent,
    refund_id: str,
    currency: str,
    amount: int,
    cap: CapUse | None,
    *,
    counts: bool = True,
) -> Insert:
    return Insert(
        table=TABLE,
        row={
            "account_id": recorded.meta.account_id,
            "refund_id": refund_id,
            "recorded_at": recorded.meta.recorded_at,
            "occurred_at": recorded.meta.occurred_at,
            "counts": counts,
            "currency": currency,
            "amount": amount,
            "refund_usd": cap.refund_usd if cap else None,
            "cancelled_commitment_usd": cap.cancelled_commitment_usd if cap else None,
            "usd_rate": cap.rate if cap else None,
            "corrected_at": None,
            "cap_restored": False,
        },
    )
