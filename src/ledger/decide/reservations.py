"""The events of a reservation command that no policy refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from msgspec.structs import replace

from ledger.calculations.exchange import exchange
from ledger.calculations.figures import ExchangeFigures, RefundFigures, ReturnFigures
from ledger.calculations.opening_position import bought_before, returned_instalment
from ledger.calculations.partial_quantity import reservation_return
from ledger.calculations.refund_cap import cap_room
from ledger.calculations.reservation_refund import reservation_refund
from ledger.calculations.settle_by_invoice import consumed
from ledger.decide.facts import Fact, at_once, derived
from ledger.decide.issued_refund import issued_refund, settled_at_once
from ledger.policies.case import Case
from ledger.postings import (
    held_credit_consumed,
    reservation_exchanged,
    reservation_purchased,
)
from ledger.state import held_credits
from ledger.state.entities import OpeningPosition, Reservation
from ledger.values.instants import MINUTE, add_months, day_of, start_of_day
from ledger.values.money import Minor
from ledger.vocabulary.commands import (
    ExchangeReservations,
    ExpireReservation,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RecordReservationPurchase,
    RefundReservation,
    ReservationCommand,
    SwapReservation,
    TransferReservation,
)
from ledger.vocabulary.events import (
    Event,
    HeldCreditConsumed,
    RefundSettled,
    ReservationCancelled,
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
    PaymentMethod,
    PurchasedLeg,
    ReservationReturn,
    ReturnedLeg,
    SourceKind,
)


def refund_figures(
    case: Case, command: QuoteReservationRefund | RefundReservation
) -> RefundFigures:
    """The figures of a refund of the reservation now."""
    return reservation_refund(
        _returned(case, command.reservation_id, command.quantity),
        usd_rate=command.usd_rate,
        room=cap_room(case.state, case.given.meta.account_id, case.now, case.terms),
        currency=case.account.currency,
        terms=case.terms,
    )


def exchange_figures(
    case: Case, command: QuoteReservationExchange | ExchangeReservations
) -> ExchangeFigures:
    """The figures of the exchange now."""
    returned = [_returned(case, one.reservation_id, one.quantity) for one in command.returns]
    return exchange(returned, command.purchases, case.account.currency)


def accepted(case: Case, command: ReservationCommand) -> tuple[Fact, ...]:
    """The events of the command."""
    match command:
        case RecordReservationPurchase():
            return at_once(case, _purchased(case, command), *_paid_by_credit(case, command))
        case RefundReservation():
            return at_once(case, *_refunded(case, command))
        case ExchangeReservations():
            return at_once(case, *_exchanged(case, command))
        case SwapReservation(reservation_id=reservation_id, sku=sku):
            previous = case.the(Reservation, reservation_id).sku
            swapped = ReservationSwapped(
                reservation_id=reservation_id, sku=sku, previous_sku=previous
            )
            return at_once(case, swapped)
        case TransferReservation(reservation_id=reservation_id, owners=owners):
            transferred = ReservationTransferred(
                reservation_id=reservation_id, owners=tuple(dict.fromkeys(owners))
            )
            return at_once(case, transferred)
        case ExpireReservation(reservation_id=reservation_id):
            held = case.the(Reservation, reservation_id)
            expired = ReservationExpired(reservation_id=reservation_id, quantity=held.quantity)
            return (Fact(body=expired, occurred_at=start_of_day(held.ends_on, "UTC")),)
        case QuoteReservationRefund():
            return at_once(case, _refund_quoted(case, command))
        case QuoteReservationExchange():
            return at_once(case, _exchange_quoted(case, command))
        case _ as unreachable:
            assert_never(unreachable)


def _refund_quoted(case: Case, command: QuoteReservationRefund) -> ReservationRefundQuoted:
    """The quote, with every rule that acting on it would violate."""
    found = case.figures
    assert found is not None
    assert found.returned is not None
    return ReservationRefundQuoted(
        quote_id=derived(case, "quote"),
        reservation_id=command.reservation_id,
        quantity=found.returned.quantity,
        usd_rate=command.usd_rate,
        expires_at=case.now + case.terms.quote_valid_minutes * MINUTE,
        rule=found.rule,
        gross=found.gross,
        fee=found.fee,
        amount=found.amount,
        parts=found.parts,
        cap=found.cap,
        violations=case.violations,
        working=found.working,
        currency=case.account.currency,
    )


def _exchange_quoted(case: Case, command: QuoteReservationExchange) -> ReservationExchangeQuoted:
    """The quote of an exchange, the quantities spelled out."""
    found = case.exchange
    assert found is not None
    return ReservationExchangeQuoted(
        quote_id=derived(case, "quote"),
        returns=tuple(
            ReservationReturn(reservation_id=leg.reservation_id, quantity=leg.quantity)
            for leg in found.returned
        ),
        purchases=command.purchases,
        expires_at=case.now + case.terms.quote_valid_minutes * MINUTE,
        returned_values=tuple(leg.value for leg in found.returned),
        returned_total=found.returned_total,
        purchased_total=found.purchased_total,
        amount=found.payable,
        payable=found.payable,
        remaining_commitment=found.remaining_commitment,
        violations=case.violations,
        working=found.working,
        currency=case.account.currency,
    )


def _returned(case: Case, reservation_id: str, quantity: int | None) -> ReturnFigures:
    return reservation_return(
        reservation_id,
        case.the(Reservation, reservation_id),
        quantity,
        today=day_of(case.now, "UTC"),
        currency=case.account.currency,
        rounding=case.terms.partial_rounding,
    )


def _purchased(case: Case, command: RecordReservationPurchase) -> ReservationPurchased:
    purchased = ReservationPurchased(
        reservation_id=command.reservation_id,
        product_type=command.product_type,
        sku=command.sku,
        region=command.region,
        quantity=command.quantity,
        term_months=command.term_months,
        starts_on=command.starts_on,
        ends_on=add_months(command.starts_on, command.term_months),
        total=command.total,
        billing_plan=command.billing_plan,
        payment=command.payment,
        owners=tuple(dict.fromkeys(command.owners)),
        returned_quantity=command.returned_quantity or None,
        refunded=command.refunded or None,
        postings=reservation_purchased(command.total),
        currency=command.currency,
    )
    number = returned_instalment(purchased, day_of(case.now, "UTC"))
    return replace(purchased, returned_instalment=number)


def _paid_by_credit(
    case: Case, command: RecordReservationPurchase
) -> tuple[HeldCreditConsumed, ...]:
    """What was bought before the opening position was taken is paid for already."""
    position = case.find(OpeningPosition, "")
    if position is not None and bought_before(position.as_of, command.starts_on):
        return ()
    return _consumed(case, [command], command.total)


def _consumed(
    case: Case, purchases: Sequence[RecordReservationPurchase | NewReservation], payable: Minor
) -> tuple[HeldCreditConsumed, ...]:
    """Credit held for earlier refunds pays for purchases by invoice, the oldest first."""
    by_invoice = [
        (one.reservation_id, one.total)
        for one in purchases
        if one.payment.method is PaymentMethod.INVOICE
    ]
    account_id, overdrawn = case.given.meta.account_id, case.account.credit_overdrawn
    available = held_credits.total(case.state, account_id) - overdrawn
    credits = held_credits.open_credits(case.state, account_id)
    return tuple(
        HeldCreditConsumed(
            credit_id=one.credit_id,
            reservation_id=one.reservation_id,
            amount=one.amount,
            postings=held_credit_consumed(one.amount),
            currency=case.account.currency,
        )
        for one in consumed(credits, available, by_invoice, payable)
    )


def _refunded(case: Case, command: RefundReservation) -> tuple[Event, ...]:
    found = case.figures
    assert found is not None
    assert found.returned is not None
    held = case.the(Reservation, command.reservation_id).quantity
    cancelled = ReservationCancelled(
        reservation_id=command.reservation_id,
        quantity=found.returned.quantity,
        quantity_left=held - found.returned.quantity,
        instalment=found.returned.instalment,
    )
    source_id, quote_id = command.reservation_id, command.quote_id
    refund = issued_refund(case, SourceKind.RESERVATION, source_id, found, quote_id)
    return cancelled, refund, *settled_at_once(refund)


def _exchanged(case: Case, command: ExchangeReservations) -> tuple[Event, ...]:
    """Both legs in one event; a returned leg with value 0 is settled at once."""
    found, currency = case.exchange, case.account.currency
    assert found is not None
    legs = tuple(_leg(case, leg, index) for index, leg in enumerate(found.returned))
    exchanged = ReservationExchanged(
        returned=legs,
        purchased=_purchased_legs(case, command),
        bought=command.purchases,
        owners=_owners(case, command),
        returned_total=found.returned_total,
        purchased_total=found.purchased_total,
        payable=found.payable,
        remaining_commitment=found.remaining_commitment,
        quote_id=command.quote_id,
        working=found.working,
        postings=reservation_exchanged(
            [leg.value for leg in legs], [one.total for one in command.purchases]
        ),
        currency=currency,
    )
    worthless = (leg for leg in legs if not leg.value)
    settled = (RefundSettled(refund_id=leg.refund_id, currency=currency) for leg in worthless)
    return exchanged, *_consumed(case, command.purchases, found.payable), *settled


def _leg(case: Case, returned: ReturnFigures, index: int) -> ReturnedLeg:
    held = case.the(Reservation, returned.reservation_id).quantity
    return ReturnedLeg(
        reservation_id=returned.reservation_id,
        quantity=returned.quantity,
        quantity_left=held - returned.quantity,
        instalment=returned.instalment,
        value=returned.value,
        refund_id=derived(case, "refund", index),
    )


def _purchased_legs(case: Case, command: ExchangeReservations) -> tuple[PurchasedLeg, ...]:
    """The new reservations; their terms start at the exchange."""
    today = day_of(case.now, "UTC")
    return tuple(
        PurchasedLeg(
            reservation_id=one.reservation_id,
            total=one.total,
            starts_on=today,
            ends_on=add_months(today, one.term_months),
        )
        for one in command.purchases
    )


def _owners(case: Case, command: ExchangeReservations) -> tuple[str, ...]:
    """All owners of the returned reservations, each once."""
    returned = (case.the(Reservation, one.reservation_id) for one in command.returns)
    return tuple(dict.fromkeys(owner for held in returned for owner in held.owners))
