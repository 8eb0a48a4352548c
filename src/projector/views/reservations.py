"""Which reservations were bought, how much of each is still held, and in what state?

The remaining value depends on the day of the query, so the SQL view computes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from ledger.values.instants import Day
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    ReservationCancelled,
    ReservationEvent,
    ReservationExchanged,
    ReservationExchangeQuoted,
    ReservationExpired,
    ReservationPurchased,
    ReservationRefundQuoted,
    ReservationSwapped,
    ReservationTransferred,
)
from ledger.vocabulary.shapes import NewReservation
from projector.rows.changes import Insert, RowChange, Set
from projector.rows.tables import BIGINT, BOOLEAN, INTEGER, JSON, TEXT, Table, Value, as_json

TABLE = Table(
    name="reservations",
    key=("account_id", "reservation_id"),
    columns={
        "account_id": TEXT,
        "reservation_id": TEXT,
        "product_type": TEXT,
        "sku": TEXT,
        "region": TEXT,
        "original_quantity": BIGINT,
        "quantity": BIGINT,
        "term_months": INTEGER,
        "starts_on": INTEGER,
        "ends_on": INTEGER,
        "total": BIGINT,
        "currency": TEXT,
        "billing_plan": TEXT,
        "payment_method": TEXT,
        "term_id": TEXT,
        "invoice_id": TEXT,
        "card_id": TEXT,
        "owners": JSON,
        "state": TEXT,
        "bought_in_exchange": BOOLEAN,
        "purchased_at": BIGINT,
    },
)


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """A purchase, alone or in an exchange, creates a row; returns reduce its quantity.

    CANCELLED and EXCHANGED say how the last part was returned; at its end it is EXPIRED.
    """
    body = recorded.body
    if not isinstance(body, ReservationEvent):
        return ()
    match body:
        case ReservationPurchased():
            return (_bought(recorded, body, body.starts_on, body.ends_on, body.owners),)
        case ReservationExchanged():
            return tuple(_exchanged(recorded, body))
        case ReservationCancelled():
            left = body.quantity_left
            return (_given_back(recorded, body.reservation_id, left, "CANCELLED"),)
        case ReservationSwapped():
            return (_changed(recorded, body.reservation_id, sku=body.sku),)
        case ReservationTransferred():
            return (_changed(recorded, body.reservation_id, owners=as_json(body.owners)),)
        case ReservationExpired():
            return (_changed(recorded, body.reservation_id, state="EXPIRED"),)
        case ReservationRefundQuoted() | ReservationExchangeQuoted():
            return ()
        case _:
            assert_never(body)


def _exchanged(recorded: RecordedEvent, body: ReservationExchanged) -> Iterator[RowChange]:
    for leg in body.returned:
        yield _given_back(recorded, leg.reservation_id, leg.quantity_left, "EXCHANGED")
    for bought, term in zip(body.bought, body.purchased, strict=True):
        yield _bought(recorded, bought, term.starts_on, term.ends_on, body.owners)


def _bought(
    recorded: RecordedEvent,
    what: ReservationPurchased | NewReservation,
    starts_on: Day,
    ends_on: Day,
    owners: Sequence[str],
) -> Insert:
    currency: str = recorded.body.currency  # type: ignore[union-attr]  # both ways of buying have it
    return Insert(
        table=TABLE,
        row={
            "account_id": recorded.meta.account_id,
            "reservation_id": what.reservation_id,
            "product_type": what.product_type,
            "sku": what.sku,
            "region": what.region,
            "original_quantity": what.quantity,
            "quantity": what.quantity - (getattr(what, "returned_quantity", None) or 0),
            "term_months": what.term_months,
            "starts_on": starts_on,
            "ends_on": ends_on,
            "total": what.total,
            "currency": currency,
            "billing_plan": what.billing_plan.value,
            "payment_method": what.payment.method.value,
            "term_id": what.payment.term_id,
            "invoice_id": what.payment.invoice_id,
            "card_id": what.payment.card_id,
            "owners": as_json(owners),
            "state": "ACTIVE",
            "bought_in_exchange": not isinstance(what, ReservationPurchased),
            "purchased_at": recorded.meta.recorded_at,
        },
    )


def _given_back(recorded: RecordedEvent, reservation_id: str, left: int, when_all: str) -> Set:
    if left:
        return _changed(recorded, reservation_id, quantity=left)
    return _changed(recorded, reservation_id, quantity=0, state=when_all)


def _changed(recorded: RecordedEvent, reservation_id: str, **columns: Value) -> Set:
    key = (recorded.meta.account_id, reservation_id)
    return Set(table=TABLE, key=key, columns={**columns})
