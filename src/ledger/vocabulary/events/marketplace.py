"""Facts about marketplace purchases: invoices, applications for refund, access."""

from __future__ import annotations

from ledger.values.instants import Instant
from ledger.values.money import Currency
from ledger.vocabulary.shapes import ByFund, Funds, InvoiceState, ProductKind, RefundReason, Shape


class MarketplacePurchaseRecorded(Shape, frozen=True, kw_only=True):
    """`refunded` is what went back of it before it was recorded here."""

    purchase_id: str
    product_kind: ProductKind
    vendor_id: str
    buyer_id: str
    paid: Funds
    purchased_at: Instant
    refunded: ByFund | None = None
    currency: Currency


class ServiceConfirmed(Shape, frozen=True, kw_only=True):
    purchase_id: str
    confirmed_at: Instant


class InvoiceStateRecorded(Shape, frozen=True, kw_only=True):
    purchase_id: str
    invoice_state: InvoiceState


class MarketplaceRefundRequested(Shape, frozen=True, kw_only=True):
    """`due_at`: the end of the third natural day after the application day (SAAS only)."""

    purchase_id: str
    request_id: str
    reason: RefundReason
    due_at: Instant | None = None


class MarketplaceRefundWithdrawn(Shape, frozen=True, kw_only=True):
    purchase_id: str
    request_id: str


class MarketplaceRefundApproved(Shape, frozen=True, kw_only=True):
    """`auto_approved`: nobody answered in time and the system completed by itself."""

    purchase_id: str
    request_id: str
    auto_approved: bool
    note: str | None = None


class MarketplaceRefundDeclined(Shape, frozen=True, kw_only=True):
    purchase_id: str
    request_id: str
    note: str | None = None


class MarketplaceRefundHeld(Shape, frozen=True, kw_only=True):
    """An invoice asked for meanwhile stands in the way of the completion."""

    purchase_id: str
    request_id: str
    invoice_state: InvoiceState
    auto_approved: bool


class AccessRevoked(Shape, frozen=True, kw_only=True):
    purchase_id: str
    buyer_id: str


MarketplaceEvent = (
    MarketplacePurchaseRecorded
    | ServiceConfirmed
    | InvoiceStateRecorded
    | MarketplaceRefundRequested
    | MarketplaceRefundWithdrawn
    | MarketplaceRefundApproved
    | MarketplaceRefundDeclined
    | MarketplaceRefundHeld
    | AccessRevoked
)
