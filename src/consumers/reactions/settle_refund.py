"""Settle refund: an issued refund of an ONLINE account is moved on to the account balance."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.commands import Command, SettleRefund
from ledger.envelope import RecordedEvent
from ledger.events import RefundIssued
from ledger.shapes import SourceKind


def settle_refund(recorded: RecordedEvent) -> Iterator[Command]:
    """`RefundIssued` of more than 0 → `SettleRefund`. A refund of 0 is settled when it is issued.

    Reservations go other ways than to a balance and stay ISSUED.
    """
    body = recorded.body
    if not isinstance(body, RefundIssued) or body.source.kind is SourceKind.RESERVATION:
        return
    if body.amount:
        yield SettleRefund(refund_id=body.refund_id)
