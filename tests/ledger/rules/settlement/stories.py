"""Accounts by the way they pay, and refunds to be settled."""

from __future__ import annotations

from ledger.values.instants import parse_day
from ledger.values.money import Minor
from ledger.vocabulary.commands import CorrectRefund, SettleRefund
from ledger.vocabulary.events import Event, RefundIssued, ReservationExchanged
from ledger.vocabulary.shapes import (
    AccountType,
    InvoicedPurchase,
    Payment,
    PaymentMethod,
    Posting,
    Role,
    Side,
)
from tests.ledger.rules.reservations.stories import (
    act,
    back,
    bought,
    exchange,
    exchanged,
    holding,
    new,
    the_refund,
)
from tests.scenario import Scenario

DAY_BOUGHT = parse_day("2026-01-05")
BY_COMMITMENT = Payment(method=PaymentMethod.COMMITMENT, term_id="t-1")
BY_OVERAGE = Payment(method=PaymentMethod.OVERAGE)
BY_CARD = Payment(method=PaymentMethod.CARD, card_id="k-1", invoice_id="inv-1")
NO_INVOICE = Payment(method=PaymentMethod.INVOICE)


def on_invoice(invoice_id: str) -> Payment:
    """Paid on that invoice."""
    return Payment(method=PaymentMethod.INVOICE, invoice_id=invoice_id)


def given_back(
    s: Scenario, reservation_id: str = "r-1", quantity: int | None = None
) -> RefundIssued:
    """Support gives it back; the refund, not settled yet."""
    s.give(act(reservation_id, quantity), role=Role.SUPPORT)
    return the_refund(s)


def traded(
    s: Scenario, *returned: str, total: Minor = 40_000, payment: Payment = NO_INVOICE
) -> ReservationExchanged:
    """Support exchanges all that is held of these for r-9."""
    legs = tuple(back(one) for one in returned)
    s.give(exchange(legs, (new(total, payment=payment),)), role=Role.SUPPORT)
    return exchanged(s)


def settle(s: Scenario, refund_id: str) -> tuple[Event, ...]:
    """What comes of the reaction's command."""
    return s.give(SettleRefund(refund_id=refund_id), role=Role.SYSTEM)


def correct(
    refund_id: str, *, quota: bool = False, cap: bool = False, reason: str = "wrong customer"
) -> CorrectRefund:
    """Take it back."""
    return CorrectRefund(refund_id=refund_id, reason=reason, restore_quota=quota, restore_cap=cap)


def by_card(total: Minor = 36_500, payment: Payment = BY_CARD) -> Scenario:
    """A reservation bought by card k-1."""
    return holding(bought(total, payment=payment), account_type=AccountType.PAYG_CARD)


def moved(debit: str, credit: str, amount: Minor) -> tuple[Posting, ...]:
    """One debit and one credit."""
    return (
        Posting(transaction=1, account=debit, side=Side.DEBIT, amount=amount),
        Posting(transaction=1, account=credit, side=Side.CREDIT, amount=amount),
    )


def on_it(
    reservation_id: str,
    price: Minor,
    *,
    quantity: int = 1,
    refunded: Minor = 0,
    netted: Minor = 0,
    carried: bool = False,
) -> InvoicedPurchase:
    """A purchase as an invoice shows it."""
    return InvoicedPurchase(
        reservation_id=reservation_id,
        quantity=quantity,
        price=price,
        refunded=refunded,
        netted=netted,
        carried=carried,
    )


def net(s: Scenario) -> dict[str, Minor]:
    """What stands on every ledger account that is not even: debits less credits."""
    sums: dict[str, Minor] = {}
    for event in s.recorded:
        postings: tuple[Posting, ...] = getattr(event.body, "postings", ())
        for line in postings:
            signed = line.amount if line.side is Side.DEBIT else -line.amount
            sums[line.account] = sums.get(line.account, 0) + signed
    return {account: amount for account, amount in sums.items() if amount}
