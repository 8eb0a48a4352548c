"""Bodies and beginnings of reservation stories, sensible where nothing is said."""

from __future__ import annotations

from ledger.state.entities import Refund, Reservation
from ledger.terms.table import TermsTable
from ledger.values.instants import parse_day
from ledger.values.money import Minor
from ledger.vocabulary.commands import (
    ExchangeReservations,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RecordReservationPurchase,
    RefundReservation,
)
from ledger.vocabulary.events import (
    RefundIssued,
    ReservationExchanged,
    ReservationExchangeQuoted,
    ReservationRefundQuoted,
)
from ledger.vocabulary.shapes import (
    AccountType,
    BillingPlan,
    NewReservation,
    Payment,
    PaymentMethod,
    ReservationReturn,
    Role,
)
from tests.scenario import Scenario

BY_INVOICE = Payment(method=PaymentMethod.INVOICE, invoice_id="inv-1")
MONTHLY, UPFRONT = BillingPlan.MONTHLY, BillingPlan.UPFRONT


def bought(
    total: Minor = 36_500,
    reservation_id: str = "r-1",
    *,
    quantity: int = 1,
    months: int = 12,
    starts_on: str = "2026-01-05",
    plan: BillingPlan = UPFRONT,
    payment: Payment = BY_INVOICE,
    owners: tuple[str, ...] = ("u-1",),
    sku: str = "Standard_F1",
    product_type: str = "VirtualMachines",
    currency: str = "USD",
) -> RecordReservationPurchase:
    """One virtual machine for a year, 1.00 a day, paid upfront by invoice."""
    return RecordReservationPurchase(
        reservation_id=reservation_id,
        product_type=product_type,
        sku=sku,
        region="eastus",
        quantity=quantity,
        term_months=months,
        starts_on=parse_day(starts_on),
        total=total,
        billing_plan=plan,
        payment=payment,
        owners=owners,
        currency=currency,
    )


def holding(
    *purchases: RecordReservationPurchase,
    account_type: AccountType = AccountType.CSP,
    currency: str = "USD",
    us_government: bool = False,
    terms: TermsTable | None = None,
) -> Scenario:
    """An account that bought these."""
    s = Scenario(terms=terms).opened(account_type, currency, us_government=us_government)
    for purchase in purchases or (bought(),):
        s.give(purchase)
    return s


def quote(
    reservation_id: str = "r-1", quantity: int | None = None, rate: str = "1"
) -> QuoteReservationRefund:
    """What would come back?"""
    return QuoteReservationRefund(reservation_id=reservation_id, quantity=quantity, usd_rate=rate)


def act(
    reservation_id: str = "r-1",
    quantity: int | None = None,
    rate: str = "1",
    *,
    quote_id: str | None = None,
    amount: Minor | None = None,
    acknowledged: bool = True,
) -> RefundReservation:
    """Give it back; without a quote only support may."""
    return RefundReservation(
        reservation_id=reservation_id,
        quantity=quantity,
        usd_rate=rate,
        quote_id=quote_id,
        acknowledged=acknowledged,
        confirmed_amount=amount,
        currency=None if amount is None else "USD",
    )


def quoted(s: Scenario) -> ReservationRefundQuoted:
    """The refund quote that came of the last command."""
    (found,) = s.outcome
    assert isinstance(found, ReservationRefundQuoted), found
    return found


def by_support(s: Scenario, reservation_id: str = "r-1", quantity: int | None = None) -> Scenario:
    """Support gives it back without a quote."""
    return s.when(act(reservation_id, quantity), role=Role.SUPPORT)


def the_refund(s: Scenario) -> RefundIssued:
    """The refund that came of the last command."""
    (found,) = (event for event in s.outcome if isinstance(event, RefundIssued))
    return found


def back(reservation_id: str = "r-1", quantity: int | None = None) -> ReservationReturn:
    """A leg to be returned."""
    return ReservationReturn(reservation_id=reservation_id, quantity=quantity)


def new(
    total: Minor,
    reservation_id: str = "r-9",
    *,
    months: int = 12,
    product_type: str = "VirtualMachines",
    payment: Payment = BY_INVOICE,
    plan: BillingPlan = UPFRONT,
) -> NewReservation:
    """A leg to be bought."""
    return NewReservation(
        reservation_id=reservation_id,
        product_type=product_type,
        sku="Standard_D2_v3",
        region="westeurope",
        quantity=2,
        term_months=months,
        total=total,
        billing_plan=plan,
        payment=payment,
    )


def quote_exchange(
    returns: tuple[ReservationReturn, ...],
    purchases: tuple[NewReservation, ...],
    currency: str = "USD",
) -> QuoteReservationExchange:
    """What would be payable?"""
    return QuoteReservationExchange(returns=returns, purchases=purchases, currency=currency)


def exchange(
    returns: tuple[ReservationReturn, ...],
    purchases: tuple[NewReservation, ...],
    *,
    quote_id: str | None = None,
    payable: Minor | None = None,
    acknowledged: bool = True,
    currency: str = "USD",
) -> ExchangeReservations:
    """Exchange; without a quote only support may."""
    return ExchangeReservations(
        returns=returns,
        purchases=purchases,
        quote_id=quote_id,
        acknowledged=acknowledged,
        confirmed_amount=payable,
        currency=currency,
    )


def exchange_quoted(s: Scenario) -> ReservationExchangeQuoted:
    """The exchange quote that came of the last command."""
    (found,) = s.outcome
    assert isinstance(found, ReservationExchangeQuoted), found
    return found


def exchanged(s: Scenario) -> ReservationExchanged:
    """The exchange that came of the last command."""
    (found,) = (event for event in s.outcome if isinstance(event, ReservationExchanged))
    return found


def the_reservation(s: Scenario, reservation_id: str = "r-1") -> Reservation:
    """The reservation as it is now."""
    found = s.state.find(Reservation, s.account, reservation_id)
    assert found is not None
    return found


def refund_entity(s: Scenario, refund_id: str) -> Refund:
    """The refund as it is now."""
    found = s.state.find(Refund, s.account, refund_id)
    assert found is not None
    return found


def names(s: Scenario) -> list[str]:
    """The names of the events that came of the last command."""
    return [type(event).__name__ for event in s.outcome]
