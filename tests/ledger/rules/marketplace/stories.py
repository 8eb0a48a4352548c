"""Bodies and beginnings of marketplace stories, sensible where nothing is said."""

from __future__ import annotations

from ledger.state.entities import Purchase
from ledger.values.instants import Instant
from ledger.values.money import Minor
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    CompleteOverdueMarketplaceRefund,
    RecordInvoiceState,
    RecordMarketplacePurchase,
    RefundMarketplaceManually,
    RequestMarketplaceRefund,
)
from ledger.vocabulary.events import MarketplaceRefundRequested, RefundIssued
from ledger.vocabulary.shapes import Funds, InvoiceState, ProductKind, RefundReason, Role
from tests.bodies import instant, paid
from tests.scenario import START, Scenario

SAAS_DUE = "2026-01-08T16:00:00Z"
"""The end of the third natural day in Shanghai for an application of 5 Jan."""
LAST_MOMENT = "2026-01-08T15:59:59.999999Z"


def purchase(
    purchase_id: str = "p-1",
    kind: ProductKind = ProductKind.SAAS,
    funds: Funds | None = None,
    *,
    at: str | Instant = START,
    currency: str = "CNY",
) -> RecordMarketplacePurchase:
    """200.00 cash, 100.00 gift and a coupon of 50.00, bought by u-1 from v-1."""
    return RecordMarketplacePurchase(
        purchase_id=purchase_id,
        product_kind=kind,
        vendor_id="v-1",
        buyer_id="u-1",
        paid=paid(20_000, 10_000, 5_000) if funds is None else funds,
        purchased_at=instant(at),
        currency=currency,
    )


def application(
    purchase_id: str = "p-1",
    reason: RefundReason | None = RefundReason.CANNOT_DELIVER,
    *,
    acknowledged: bool = True,
) -> RequestMarketplaceRefund:
    """The buyer applies."""
    return RequestMarketplaceRefund(
        purchase_id=purchase_id, reason=reason, acknowledged=acknowledged
    )


def ticket(
    amount: Minor, purchase_id: str = "p-1", currency: str = "CNY"
) -> RefundMarketplaceManually:
    """Support refunds what was agreed."""
    return RefundMarketplaceManually(
        purchase_id=purchase_id, ticket="t-1", amount=amount, currency=currency
    )


def bought(kind: ProductKind = ProductKind.SAAS, funds: Funds | None = None) -> Scenario:
    """An account with purchase p-1."""
    s = Scenario().opened()
    s.give(purchase(kind=kind, funds=funds))
    return s


def applied(kind: ProductKind = ProductKind.SAAS, funds: Funds | None = None) -> Scenario:
    """Purchase p-1 with an application under way."""
    s = bought(kind, funds)
    s.give(application())
    return s


def approve(s: Scenario, purchase_id: str = "p-1") -> Scenario:
    """The vendor agrees."""
    return s.when(ApproveMarketplaceRefund(purchase_id=purchase_id), actor_id="v-1")


def invoice(s: Scenario, *states: InvoiceState) -> Scenario:
    """The invoice of p-1 goes through these states."""
    for state in states:
        s.give(RecordInvoiceState(purchase_id="p-1", invoice_state=state), role=Role.BILLING)
    return s


def request_id(s: Scenario) -> str:
    """The last application's id."""
    return next(
        event.body.request_id
        for event in reversed(s.recorded)
        if isinstance(event.body, MarketplaceRefundRequested)
    )


def timer(s: Scenario, request: str | None = None) -> Scenario:
    """The timer of the last application wakes."""
    request = request_id(s) if request is None else request
    return s.when(CompleteOverdueMarketplaceRefund(purchase_id="p-1", request_id=request))


def the_purchase(s: Scenario, purchase_id: str = "p-1") -> Purchase:
    """The purchase as it is now."""
    found = s.state.find(Purchase, s.account, purchase_id)
    assert found is not None
    return found


def the_refund(s: Scenario) -> RefundIssued:
    """The refund that came of the last command."""
    (refund,) = (event for event in s.outcome if isinstance(event, RefundIssued))
    return refund


def names(s: Scenario) -> list[str]:
    """The names of the events that came of the last command."""
    return [type(event).__name__ for event in s.outcome]
