"""Settle refund: requests the settlement of each issued refund."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.vocabulary.commands import Command, SettleRefund
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import RefundIssued, ReservationExchanged


def settle_refund(recorded: RecordedEvent) -> Iterator[Command]:
    """`RefundIssued`, and each returned leg of a `ReservationExchanged`, of more than 0 →
    `SettleRefund`. A refund of 0 is settled when it is issued.
    """
    match recorded.body:
        case RefundIssued(refund_id=refund_id, amount=amount) if amount:
            yield SettleRefund(refund_id=refund_id)
        case ReservationExchanged(returned=returned):
            for leg in returned:
                if leg.value:
                    yield SettleRefund(refund_id=leg.refund_id)
        case _:
            return
