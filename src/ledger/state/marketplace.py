"""How facts about marketplace purchases change them, and the account's count of applications."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.state.entities import Account, Purchase, PurchaseStatus, Refund, RefundRequest
from ledger.state.reading import Change, Key, State
from ledger.vocabulary.envelope import EventMeta
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
    RefundIssued,
    ServiceConfirmed,
)
from ledger.vocabulary.shapes import ByFund


def evolve(state: State, meta: EventMeta, event: MarketplaceEvent) -> list[Change]:
    """The purchase, and the account where an application begins or ends, after the event."""
    key = Key(Purchase, meta.account_id, event.purchase_id)
    if isinstance(event, MarketplacePurchaseRecorded):
        return [(key, _recorded(event))]
    purchase = state.find(Purchase, meta.account_id, event.purchase_id)
    assert purchase is not None
    match event:
        case ServiceConfirmed():
            return [(key, replace(purchase, service_confirmed=True))]
        case InvoiceStateRecorded():
            return [(key, replace(purchase, invoice_state=event.invoice_state))]
        case MarketplaceRefundRequested():
            return [(key, _requested(purchase, event)), _pending(state, meta, +1)]
        case MarketplaceRefundWithdrawn() | MarketplaceRefundDeclined():
            active = replace(purchase, status=PurchaseStatus.ACTIVE, request=None)
            return [(key, active), _pending(state, meta, -1)]
        case MarketplaceRefundApproved():
            return []
        case MarketplaceRefundHeld():
            return [(key, _held(purchase, event))]
        case AccessRevoked():
            return [(key, replace(purchase, access_revoked=True))]
        case _ as unreachable:
            assert_never(unreachable)


def refunded(purchase: Purchase, event: RefundIssued) -> Purchase:
    """The purchase once a refund of it is issued; an application that led to it is over."""
    return replace(
        purchase,
        status=PurchaseStatus.REFUNDED,
        request=None,
        refunded_cash=purchase.refunded_cash + (event.parts.cash or 0),
        refunded_gift=purchase.refunded_gift + (event.parts.gift or 0),
    )


def corrected(purchase: Purchase, refund: Refund) -> Purchase:
    """The purchase without a refund that counts no more; it stays REFUNDED, the access revoked."""
    return replace(
        purchase,
        refunded_cash=purchase.refunded_cash - (refund.parts.cash or 0),
        refunded_gift=purchase.refunded_gift - (refund.parts.gift or 0),
    )


def _recorded(event: MarketplacePurchaseRecorded) -> Purchase:
    """Of which something went back before is as if that had happened here: access has ended."""
    before = event.refunded or ByFund(cash=0, gift=0)
    refunded = bool(before.cash or before.gift)
    return Purchase(
        product_kind=event.product_kind,
        vendor_id=event.vendor_id,
        buyer_id=event.buyer_id,
        paid=event.paid,
        purchased_at=event.purchased_at,
        status=PurchaseStatus.REFUNDED if refunded else PurchaseStatus.ACTIVE,
        access_revoked=refunded,
        refunded_cash=before.cash,
        refunded_gift=before.gift,
    )


def _requested(purchase: Purchase, event: MarketplaceRefundRequested) -> Purchase:
    request = RefundRequest(request_id=event.request_id, reason=event.reason, due_at=event.due_at)
    return replace(purchase, status=PurchaseStatus.REFUND_PENDING, request=request)


def _held(purchase: Purchase, event: MarketplaceRefundHeld) -> Purchase:
    assert purchase.request is not None
    request = replace(purchase.request, auto_approved=event.auto_approved)
    return replace(purchase, status=PurchaseStatus.HELD, request=request)


def _pending(state: State, meta: EventMeta, more: int) -> Change:
    account = state.find(Account, meta.account_id, "")
    assert account is not None
    pending = account.marketplace_refunds_pending + more
    return Key(Account, meta.account_id, ""), replace(account, marketplace_refunds_pending=pending)
