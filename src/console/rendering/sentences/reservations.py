"""One sentence for each event about reservations."""

from __future__ import annotations

from typing import assert_never

from console.rendering.sentences.words import money, parts_told, quote_told
from ledger.values.instants import format_day
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


def reservation_sentence(body: ReservationEvent) -> str:
    """What happened to the reservation, in one sentence."""
    match body:
        case ReservationPurchased():
            return _purchased(body)
        case ReservationRefundQuoted():
            rule = f" by {body.rule}" if body.rule else ""
            amount = f"{money(body.amount, body.currency)}{rule}"
            parts = parts_told(body.parts, body.currency)
            answer = f"{body.quantity} of {body.reservation_id}: {amount}: {parts}"
            return quote_told(answer, body.expires_at, body.violations)
        case ReservationExchangeQuoted():
            answer = _both(body) + f", {money(body.payable, body.currency)} payable"
            return quote_told(answer, body.expires_at, body.violations)
        case ReservationCancelled():
            left = body.quantity_left or "none"
            return f"{body.quantity} of {body.reservation_id} given back, {left} left"
        case ReservationExchanged():
            returned = ", ".join(f"{leg.quantity} of {leg.reservation_id}" for leg in body.returned)
            bought = ", ".join(leg.reservation_id for leg in body.purchased)
            payable = money(body.payable, body.currency)
            return f"{returned} for {bought}: {_both(body)}, {payable} payable"
        case ReservationSwapped():
            return f"{body.reservation_id}: {body.previous_sku} swapped for {body.sku}"
        case ReservationTransferred():
            return f"{body.reservation_id} now belongs to {', '.join(body.owners)}"
        case ReservationExpired():
            return f"{body.reservation_id} has expired; {body.quantity} were held to the end"
        case _ as unreachable:
            assert_never(unreachable)


def _purchased(body: ReservationPurchased) -> str:
    term = f"from {format_day(body.starts_on)} until {format_day(body.ends_on)}"
    total = money(body.total, body.currency)
    before = ""
    if body.returned_quantity:
        back = money(body.refunded or 0, body.currency)
        before = f"; {body.returned_quantity} went back before, {back} of the running payment"
    return (
        f"{body.reservation_id}: {body.quantity} × {body.sku} ({body.product_type}) {term}, "
        f"{total} {body.billing_plan} by {body.payment.method}{before}"
    )


def _both(body: ReservationExchangeQuoted | ReservationExchanged) -> str:
    back, new = (
        money(body.returned_total, body.currency),
        money(body.purchased_total, body.currency),
    )
    return f"{back} come back, {new} are charged"
