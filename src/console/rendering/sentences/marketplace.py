"""One sentence for each event about marketplace purchases."""

from __future__ import annotations

from typing import assert_never

from console.rendering.sentences.words import money, when
from ledger.vocabulary.events import (
    AccessRevoked,
    InvoiceStateRecorded,
    MarketplaceEvent,
    MarketplacePurchaseRecorded,
    MarketplaceRefundApproved,
    MarketplaceRefundDeclined,
    MarketplaceRefundHeld,
    MarketplaceRefundRequested,
    MarketplaceRefundWithdrawn,
    ServiceConfirmed,
)


def marketplace_sentence(body: MarketplaceEvent) -> str:
    """What happened to the purchase, in one sentence."""
    match body:
        case MarketplacePurchaseRecorded():
            paid = money(body.paid.cash + body.paid.gift, body.currency)
            back = body.refunded.cash + body.refunded.gift if body.refunded else 0
            before = f", {money(back, body.currency)} went back before" if back else ""
            return (
                f"{body.buyer_id} bought {body.purchase_id} ({body.product_kind}) from "
                f"{body.vendor_id}, paid {paid}{before}"
            )
        case ServiceConfirmed():
            return f"{body.purchase_id}: the service is confirmed"
        case InvoiceStateRecorded():
            return f"{body.purchase_id}: its invoice is {body.invoice_state}"
        case AccessRevoked():
            return f"{body.buyer_id} may no longer use {body.purchase_id}"
        case _:
            return _of_application(body)


def _of_application(
    body: MarketplaceRefundRequested
    | MarketplaceRefundWithdrawn
    | MarketplaceRefundApproved
    | MarketplaceRefundDeclined
    | MarketplaceRefundHeld,
) -> str:
    match body:
        case MarketplaceRefundRequested():
            due = f"; completes by itself at {when(body.due_at)}" if body.due_at else ""
            return f"{body.purchase_id}: refund asked for ({body.reason}){due}"
        case MarketplaceRefundWithdrawn():
            return f"{body.purchase_id}: the application is withdrawn"
        case MarketplaceRefundApproved():
            auto = ", as nobody answered in time" if body.auto_approved else ""
            return f"{body.purchase_id}: approved{auto}{_noted(body.note)}"
        case MarketplaceRefundDeclined():
            return f"{body.purchase_id}: declined{_noted(body.note)}"
        case MarketplaceRefundHeld():
            return f"{body.purchase_id}: held, as its invoice is {body.invoice_state}"
        case _ as unreachable:
            assert_never(unreachable)


def _noted(note: str | None) -> str:
    return f" ({' '.join(note.split())})" if note else ""
