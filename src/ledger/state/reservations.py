"""How facts about reservations change them, their quotes, and the refunds of an exchange."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.postings import refund_issued
from ledger.state import invoices
from ledger.state.entities import (
    Exchange,
    InstalmentReturns,
    Quote,
    QuoteKind,
    QuoteStatus,
    Refund,
    RefundStatus,
    Reservation,
    ReservationStatus,
)
from ledger.state.reading import Change, Key, State
from ledger.values.money import Minor
from ledger.vocabulary.envelope import EventMeta
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
from ledger.vocabulary.shapes import (
    NewReservation,
    Parts,
    PaymentMethod,
    PurchasedLeg,
    RefundSource,
    ReturnedLeg,
    SourceKind,
)


def evolve(state: State, meta: EventMeta, event: ReservationEvent) -> list[Change]:
    """The reservations, quote and refunds as they are after the event."""
    match event:
        case ReservationPurchased():
            new = _bought(meta, event)
            named = invoices.Bought(event.reservation_id, new, new.invoice_id)
            key = Key(Reservation, meta.account_id, event.reservation_id)
            return [(key, new), *invoices.purchased(state, meta, [named])]
        case ReservationRefundQuoted():
            return [(Key(Quote, meta.account_id, event.quote_id), _refund_quote(meta, event))]
        case ReservationExchangeQuoted():
            return [(Key(Quote, meta.account_id, event.quote_id), _exchange_quote(meta, event))]
        case ReservationExchanged():
            return _exchanged(state, meta, event)
        case (
            ReservationCancelled()
            | ReservationSwapped()
            | ReservationTransferred()
            | ReservationExpired()
        ):
            held = _held(state, meta, event.reservation_id)
            return [(Key(Reservation, meta.account_id, event.reservation_id), _moved(held, event))]
        case _ as unreachable:
            assert_never(unreachable)


def refunded(reservation: Reservation, value: Minor) -> Reservation:
    """The reservation with a refund of what was given back last."""
    assert reservation.returns is not None
    returns = replace(reservation.returns, refunded=reservation.returns.refunded + value)
    return replace(reservation, returns=returns, refunded=reservation.refunded + value)


def corrected(reservation: Reservation, refund: Refund) -> Reservation:
    """The reservation without a refund that counts no more. What was given back stays so."""
    returns = reservation.returns
    if returns is not None and returns.number == refund.instalment:
        returns = replace(returns, refunded=returns.refunded - refund.gross)
    return replace(reservation, returns=returns, refunded=reservation.refunded - refund.gross)


def _moved(
    held: Reservation,
    event: ReservationCancelled | ReservationSwapped | ReservationTransferred | ReservationExpired,
) -> Reservation:
    match event:
        case ReservationCancelled():
            return _given_back(held, event.quantity, event.instalment, ReservationStatus.CANCELLED)
        case ReservationSwapped():
            return replace(held, sku=event.sku)
        case ReservationTransferred():
            return replace(held, owners=event.owners)
        case ReservationExpired():
            return replace(held, status=ReservationStatus.EXPIRED)
        case _ as unreachable:
            assert_never(unreachable)


def _given_back(
    held: Reservation, quantity: int, instalment: int, when_all: ReservationStatus
) -> Reservation:
    left = held.quantity - quantity
    before = held.returns
    if before is None or before.number != instalment:
        before = InstalmentReturns(number=instalment, quantity=0, refunded=0)
    return replace(
        held,
        quantity=left,
        status=held.status if left else when_all,
        returns=replace(before, quantity=before.quantity + quantity),
    )


def _exchanged(state: State, meta: EventMeta, event: ReservationExchanged) -> list[Change]:
    """Both legs at once: what was given back with its refund, and what was bought for it."""
    changes: list[Change] = []
    for leg in event.returned:
        held = _held(state, meta, leg.reservation_id)
        left = _given_back(held, leg.quantity, leg.instalment, ReservationStatus.EXCHANGED)
        key = Key(Reservation, meta.account_id, leg.reservation_id)
        changes.append((key, refunded(left, leg.value)))
        owed = _leg_refund(leg, exchange_id=meta.event_id)
        changes.append((Key(Refund, meta.account_id, leg.refund_id), owed))
    named = []
    for bought, purchased in zip(event.bought, event.purchased, strict=True):
        new = _bought_for(meta, event, bought, purchased)
        changes.append((Key(Reservation, meta.account_id, bought.reservation_id), new))
        if bought.payment.method is not PaymentMethod.INVOICE or not event.returned_total:
            named.append(invoices.Bought(bought.reservation_id, new, new.invoice_id))
    changes += invoices.purchased(state, meta, named)
    changes.append((Key(Exchange, meta.account_id, meta.event_id), _exchange(event)))
    if event.quote_id is not None:
        quote = state.find(Quote, meta.account_id, event.quote_id)
        assert quote is not None
        used = replace(quote, status=QuoteStatus.USED)
        changes.append((Key(Quote, meta.account_id, event.quote_id), used))
    return changes


def _held(state: State, meta: EventMeta, reservation_id: str) -> Reservation:
    held = state.find(Reservation, meta.account_id, reservation_id)
    assert held is not None
    return held


def _exchange(event: ReservationExchanged) -> Exchange:
    return Exchange(
        refund_ids=tuple(leg.refund_id for leg in event.returned),
        returned_quantities=tuple(leg.quantity for leg in event.returned),
        reservation_ids=tuple(leg.reservation_id for leg in event.purchased),
        purchased_total=event.purchased_total,
    )


def _leg_refund(leg: ReturnedLeg, exchange_id: str) -> Refund:
    return Refund(
        source=RefundSource(kind=SourceKind.RESERVATION, id=leg.reservation_id),
        rule=None,
        gross=leg.value,
        fee=0,
        amount=leg.value,
        parts=Parts(original=leg.value),
        status=RefundStatus.ISSUED,
        postings=refund_issued(leg.value, 0),
        instalment=leg.instalment,
        exchange_id=exchange_id,
    )


def _bought(meta: EventMeta, event: ReservationPurchased) -> Reservation:
    """What went back before is as if it had been given back in the payment that runs."""
    returned, refunded = event.returned_quantity or 0, event.refunded or 0
    returns = None
    if event.returned_instalment is not None:
        returns = InstalmentReturns(
            number=event.returned_instalment, quantity=returned, refunded=refunded
        )
    return Reservation(
        product_type=event.product_type,
        sku=event.sku,
        region=event.region,
        original_quantity=event.quantity,
        quantity=event.quantity - returned,
        term_months=event.term_months,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
        total=event.total,
        billing_plan=event.billing_plan,
        payment=event.payment,
        owners=event.owners,
        purchased_at=meta.recorded_at,
        returns=returns,
        refunded=refunded,
        refunded_before=refunded,
        invoice_id=event.payment.invoice_id,
    )


def _bought_for(
    meta: EventMeta, event: ReservationExchanged, bought: NewReservation, leg: PurchasedLeg
) -> Reservation:
    return Reservation(
        product_type=bought.product_type,
        sku=bought.sku,
        region=bought.region,
        original_quantity=bought.quantity,
        quantity=bought.quantity,
        term_months=bought.term_months,
        starts_on=leg.starts_on,
        ends_on=leg.ends_on,
        total=bought.total,
        billing_plan=bought.billing_plan,
        payment=bought.payment,
        owners=event.owners,
        purchased_at=meta.recorded_at,
        invoice_id=bought.payment.invoice_id,
    )


def _refund_quote(meta: EventMeta, event: ReservationRefundQuoted) -> Quote:
    return Quote(
        quoted_at=meta.recorded_at,
        expires_at=event.expires_at,
        status=QuoteStatus.OPEN,
        kind=QuoteKind.RESERVATION_REFUND,
        subject_id=event.reservation_id,
        quantity=event.quantity,
        usd_rate=event.usd_rate,
        rule=event.rule,
        fee=event.fee,
        amount=event.amount,
        parts=event.parts,
    )


def _exchange_quote(meta: EventMeta, event: ReservationExchangeQuoted) -> Quote:
    return Quote(
        quoted_at=meta.recorded_at,
        expires_at=event.expires_at,
        status=QuoteStatus.OPEN,
        kind=QuoteKind.RESERVATION_EXCHANGE,
        returns=event.returns,
        returned_values=event.returned_values,
        purchases=event.purchases,
        amount=event.amount,
    )
