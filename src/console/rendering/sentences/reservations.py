"""One sentence for each event about reservations."""

from __future__ import annotations

from typing import assert_never

from console.rendering.sentences.saying import Saying
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


def reservation_sentence(body: ReservationEvent, say: Saying) -> str:
    """What happened to the reservation, in one sentence."""
    match body:
        case ReservationPurchased():
            return _purchased(body, say)
        case ReservationRefundQuoted():
            return quote_told(_quoted(body, say), body.expires_at, body.violations, say)
        case ReservationExchangeQuoted():
            return quote_told(_both(body, say), body.expires_at, body.violations, say)
        case ReservationCancelled():
            return _given_back(body, say)
        case ReservationExchanged():
            return _exchanged(body, say)
        case ReservationSwapped():
            return say.said(
                "{reservation}: {previous} swapped for {sku}",
                reservation=body.reservation_id,
                previous=body.previous_sku,
                sku=body.sku,
            )
        case ReservationTransferred():
            return say.said(
                "{reservation} now belongs to {owners}",
                reservation=body.reservation_id,
                owners=say.listed(body.owners),
            )
        case ReservationExpired():
            return say.said(
                "{reservation} has expired; {quantity} were held to the end",
                reservation=body.reservation_id,
                quantity=body.quantity,
            )
        case _ as unreachable:
            assert_never(unreachable)


def _quoted(body: ReservationRefundQuoted, say: Saying) -> str:
    told = say.said(
        "{quantity} of {reservation}: {amount}",
        quantity=body.quantity,
        reservation=body.reservation_id,
        amount=money(body.amount, body.currency),
    )
    if body.rule:
        told = say.said("{quoted} by {rule}", quoted=told, rule=say.word(body.rule))
    parts = parts_told(body.parts, body.currency, say)
    return say.said("{quoted}: {parts}", quoted=told, parts=parts)


def _given_back(body: ReservationCancelled, say: Saying) -> str:
    if not body.quantity_left:
        return say.said(
            "{quantity} of {reservation} given back, none left",
            quantity=body.quantity,
            reservation=body.reservation_id,
        )
    return say.said(
        "{quantity} of {reservation} given back, {left} left",
        quantity=body.quantity,
        reservation=body.reservation_id,
        left=body.quantity_left,
    )


def _exchanged(body: ReservationExchanged, say: Saying) -> str:
    legs = (
        say.said(
            "{quantity} of {reservation}", quantity=leg.quantity, reservation=leg.reservation_id
        )
        for leg in body.returned
    )
    return say.said(
        "{returned} for {bought}: {both}",
        returned=say.listed(legs),
        bought=say.listed(leg.reservation_id for leg in body.purchased),
        both=_both(body, say),
    )


def _purchased(body: ReservationPurchased, say: Saying) -> str:
    told = say.said(
        "{reservation}: {quantity} × {sku} ({type}) from {start} until {end}, {total} {plan} by "
        "{method}",
        reservation=body.reservation_id,
        quantity=body.quantity,
        sku=body.sku,
        type=body.product_type,
        start=format_day(body.starts_on),
        end=format_day(body.ends_on),
        total=money(body.total, body.currency),
        plan=say.word(body.billing_plan),
        method=say.word(body.payment.method),
    )
    if not body.returned_quantity:
        return told
    before = say.said(
        "{quantity} went back before, {back} of the running payment",
        quantity=body.returned_quantity,
        back=money(body.refunded or 0, body.currency),
    )
    return say.clauses((told, before))


def _both(body: ReservationExchangeQuoted | ReservationExchanged, say: Saying) -> str:
    return say.said(
        "{back} come back, {new} are charged, {payable} payable",
        back=money(body.returned_total, body.currency),
        new=money(body.purchased_total, body.currency),
        payable=money(body.payable, body.currency),
    )
