"""Which refunds were issued, by which rule, for which amount, and in which state are they?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    BalanceCredited,
    CardRefundRequested,
    CommitmentCredited,
    CreditHeld,
    CreditMemoIssued,
    GatewayAnswerRecorded,
    HeldCreditConsumed,
    InvoiceCancelled,
    InvoiceIssued,
    OverageRerateRequested,
    RefundCorrected,
    RefundEvent,
    RefundHeld,
    RefundIssued,
    RefundOverpaid,
    RefundSettled,
    ReservationExchanged,
    SettlementEvent,
    SupportTaskOpened,
)
from ledger.vocabulary.shapes import ReturnedLeg, SourceKind
from projector.rows.changes import Add, Insert, RowChange, Set
from projector.rows.tables import BIGINT, BOOLEAN, JSON, TEXT, Row, Table, Value, as_json

TABLE = Table(
    name="refunds",
    key=("account_id", "refund_id"),
    columns={
        "account_id": TEXT,
        "refund_id": TEXT,
        "source_kind": TEXT,
        "source_id": TEXT,
        "rule": TEXT,
        "currency": TEXT,
        "gross": BIGINT,
        "fee": BIGINT,
        "amount": BIGINT,
        "cash": BIGINT,
        "gift": BIGINT,
        "original": BIGINT,
        "state": TEXT,
        "auto_approved": BOOLEAN,
        "quota_spent": BOOLEAN,
        "ticket": TEXT,
        "issued_at": BIGINT,
        "occurred_at": BIGINT,
        "expected_arrival_at": BIGINT,
        "settled_at": BIGINT,
        "held_because": TEXT,
        "corrected_at": BIGINT,
        "corrected_because": TEXT,
        "command_id": TEXT,
        "working": JSON,
        "quota_restored": BOOLEAN,
        "overpaid": BIGINT,
    },
)


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """ISSUED → SETTLING → SETTLED, or HELD; CORRECTED from any. What is overpaid adds up. A
    returned leg of an exchange is a refund without a rule.
    """
    body = recorded.body
    if isinstance(body, RefundEvent):
        return (_refund(recorded, body),)
    if isinstance(body, SettlementEvent):
        return _settlement(recorded, body)
    if isinstance(body, ReservationExchanged):
        return tuple(_returned_leg(recorded, body, leg) for leg in body.returned)
    return ()


def _refund(recorded: RecordedEvent, body: RefundEvent) -> RowChange:
    match body:
        case RefundIssued():
            return _issued(recorded, body)
        case RefundSettled():
            return _moved(
                recorded,
                body.refund_id,
                state="SETTLED",
                settled_at=recorded.meta.recorded_at,
                held_because=None,
            )
        case RefundHeld():
            held_because = body.reason.value
            return _moved(recorded, body.refund_id, state="HELD", held_because=held_because)
        case RefundOverpaid():
            key = (recorded.meta.account_id, body.refund_id)
            return Add(table=TABLE, key=key, amounts={"overpaid": body.amount})
        case RefundCorrected():
            return _moved(
                recorded,
                body.refund_id,
                state="CORRECTED",
                corrected_at=recorded.meta.recorded_at,
                corrected_because=body.reason,
                quota_restored=body.quota_restored,
            )
        case _:
            assert_never(body)


def _settlement(recorded: RecordedEvent, body: SettlementEvent) -> Sequence[RowChange]:
    match body:
        case BalanceCredited():
            arrival = body.expected_arrival_at
            return (_settling(recorded, body.refund_id, expected_arrival_at=arrival),)
        case CommitmentCredited() | CreditMemoIssued() | CreditHeld() | CardRefundRequested():
            return (_settling(recorded, body.refund_id),)
        case (
            OverageRerateRequested()
            | InvoiceCancelled()
            | InvoiceIssued()
            | HeldCreditConsumed()
            | GatewayAnswerRecorded()
            | SupportTaskOpened()
        ):
            return ()
        case _:
            assert_never(body)


def _issued(recorded: RecordedEvent, body: RefundIssued) -> Insert:
    row = _new(recorded, body.refund_id, body.source.kind, body.source.id)
    row |= {
        "rule": body.rule.value,
        "currency": body.currency,
        "gross": body.gross,
        "fee": body.fee,
        "amount": body.amount,
        "cash": body.parts.cash,
        "gift": body.parts.gift,
        "original": body.parts.original,
        "auto_approved": body.auto_approved,
        "quota_spent": body.quota_spent,
        "ticket": body.ticket,
        "working": as_json(body.working),
    }
    return Insert(table=TABLE, row=row)


def _returned_leg(recorded: RecordedEvent, body: ReservationExchanged, leg: ReturnedLeg) -> Insert:
    row = _new(recorded, leg.refund_id, SourceKind.RESERVATION, leg.reservation_id)
    row |= {
        "currency": body.currency,
        "gross": leg.value,
        "fee": 0,
        "amount": leg.value,
        "original": leg.value,
        "working": as_json(body.working),
    }
    return Insert(table=TABLE, row=row)


def _new(recorded: RecordedEvent, refund_id: str, kind: SourceKind, source_id: str) -> Row:
    row: Row = dict.fromkeys(TABLE.columns)
    row |= {
        "account_id": recorded.meta.account_id,
        "refund_id": refund_id,
        "source_kind": kind.value,
        "source_id": source_id,
        "state": "ISSUED",
        "quota_spent": False,
        "issued_at": recorded.meta.recorded_at,
        "occurred_at": recorded.meta.occurred_at,
        "command_id": recorded.meta.causation_id,
        "quota_restored": False,
        "overpaid": 0,
    }
    return row


def _settling(recorded: RecordedEvent, refund_id: str, **columns: Value) -> Set:
    return _moved(recorded, refund_id, state="SETTLING", held_because=None, **columns)


def _moved(recorded: RecordedEvent, refund_id: str, **columns: Value) -> Set:
    return Set(table=TABLE, key=(recorded.meta.account_id, refund_id), columns={**columns})
