"""The events of a marketplace command that no policy refuses."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.calculations.manual_refund import manual_refund
from ledger.calculations.paid_only import paid_only
from ledger.calculations.three_days import completion_due_at
from ledger.decide.facts import Fact, at_once, derived
from ledger.decide.issued_refund import issued_refund, settled_at_once
from ledger.policies.case import Case
from ledger.policies.invoice_first import in_the_way
from ledger.state.entities import Purchase, PurchaseStatus, RefundRequest
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    CompleteOverdueMarketplaceRefund,
    ConfirmService,
    DeclineMarketplaceRefund,
    MarketplaceCommand,
    RecordInvoiceState,
    RecordMarketplacePurchase,
    RefundMarketplaceManually,
    RequestMarketplaceRefund,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.events import (
    AccessRevoked,
    Event,
    InvoiceStateRecorded,
    MarketplacePurchaseRecorded,
    MarketplaceRefundApproved,
    MarketplaceRefundDeclined,
    MarketplaceRefundHeld,
    MarketplaceRefundRequested,
    MarketplaceRefundWithdrawn,
    RefundIssued,
    ServiceConfirmed,
)
from ledger.vocabulary.shapes import ProductKind, SourceKind


def accepted(case: Case, command: MarketplaceCommand) -> tuple[Fact, ...]:
    """The events of the command."""
    match command:
        case RecordMarketplacePurchase():
            return at_once(case, _purchase(command))
        case ConfirmService(purchase_id=purchase_id):
            return at_once(case, ServiceConfirmed(purchase_id=purchase_id, confirmed_at=case.now))
        case RecordInvoiceState():
            return at_once(case, *_invoice_moved(case, command))
        case RequestMarketplaceRefund():
            return at_once(case, _requested(case, command))
        case WithdrawMarketplaceRefund(purchase_id=purchase_id):
            request_id = _request(case, purchase_id).request_id
            withdrawn = MarketplaceRefundWithdrawn(purchase_id=purchase_id, request_id=request_id)
            return at_once(case, withdrawn)
        case ApproveMarketplaceRefund(purchase_id=purchase_id, note=note):
            return at_once(case, *_approved(case, purchase_id, auto=False, note=note))
        case DeclineMarketplaceRefund(purchase_id=purchase_id, note=note):
            request_id = _request(case, purchase_id).request_id
            declined = MarketplaceRefundDeclined(
                purchase_id=purchase_id, request_id=request_id, note=note
            )
            return at_once(case, declined)
        case CompleteOverdueMarketplaceRefund(purchase_id=purchase_id):
            due_at = _request(case, purchase_id).due_at
            assert due_at is not None
            completed = _approved(case, purchase_id, auto=True)
            return tuple(Fact(body=body, occurred_at=due_at) for body in completed)
        case RefundMarketplaceManually():
            return at_once(case, *_by_ticket(case, command))
        case _ as unreachable:
            assert_never(unreachable)


def _purchase(command: RecordMarketplacePurchase) -> MarketplacePurchaseRecorded:
    return MarketplacePurchaseRecorded(
        purchase_id=command.purchase_id,
        product_kind=command.product_kind,
        vendor_id=command.vendor_id,
        buyer_id=command.buyer_id,
        paid=command.paid,
        purchased_at=command.purchased_at,
        refunded=command.refunded,
        currency=command.currency,
    )


def _requested(case: Case, command: RequestMarketplaceRefund) -> MarketplaceRefundRequested:
    assert command.reason is not None
    purchase, terms = case.the(Purchase, command.purchase_id), case.terms
    due_at = completion_due_at(case.now, terms.completion_days, terms.time_zone)
    return MarketplaceRefundRequested(
        purchase_id=command.purchase_id,
        request_id=derived(case, "request"),
        reason=command.reason,
        due_at=due_at if purchase.product_kind is ProductKind.SAAS else None,
    )


def _approved(
    case: Case, purchase_id: str, *, auto: bool, note: str | None = None
) -> tuple[Event, ...]:
    """Approved, and completed at once unless an invoice asked for meanwhile stands in the way."""
    purchase, request = case.the(Purchase, purchase_id), _request(case, purchase_id)
    approved = MarketplaceRefundApproved(
        purchase_id=purchase_id, request_id=request.request_id, auto_approved=auto, note=note
    )
    if not in_the_way(purchase.invoice_state):
        return approved, *_completed(case, purchase_id, auto=auto)
    held = MarketplaceRefundHeld(
        purchase_id=purchase_id,
        request_id=request.request_id,
        invoice_state=purchase.invoice_state,
        auto_approved=auto,
    )
    return approved, held


def _invoice_moved(case: Case, command: RecordInvoiceState) -> tuple[Event, ...]:
    """The invoice's new state; a refund that was held for it is completed by the same decision."""
    moved = InvoiceStateRecorded(
        purchase_id=command.purchase_id, invoice_state=command.invoice_state
    )
    purchase = case.the(Purchase, command.purchase_id)
    if purchase.status is not PurchaseStatus.HELD or in_the_way(command.invoice_state):
        return (moved,)
    auto = _request(case, command.purchase_id).auto_approved is True
    return moved, *_completed(case, command.purchase_id, auto=auto)


def _completed(case: Case, purchase_id: str, *, auto: bool) -> tuple[Event, ...]:
    figures = paid_only(case.the(Purchase, purchase_id), case.account.currency)
    refund = issued_refund(case, SourceKind.MARKETPLACE, purchase_id, figures)
    refund = replace(refund, auto_approved=auto, quota_spent=True)
    return _refunded(case, purchase_id, refund)


def _by_ticket(case: Case, command: RefundMarketplaceManually) -> tuple[Event, ...]:
    purchase = case.the(Purchase, command.purchase_id)
    figures = manual_refund(purchase, command.amount, command.ticket, case.account.currency)
    refund = issued_refund(case, SourceKind.MARKETPLACE, command.purchase_id, figures)
    return _refunded(case, command.purchase_id, replace(refund, ticket=command.ticket))


def _refunded(case: Case, purchase_id: str, refund: RefundIssued) -> tuple[Event, ...]:
    """The refund; settled at once if it is nothing; and the end of the access, the first time."""
    events: tuple[Event, ...] = (refund, *settled_at_once(refund))
    purchase = case.the(Purchase, purchase_id)
    if purchase.access_revoked:
        return events
    return *events, AccessRevoked(purchase_id=purchase_id, buyer_id=purchase.buyer_id)


def _request(case: Case, purchase_id: str) -> RefundRequest:
    request = case.the(Purchase, purchase_id).request
    assert request is not None
    return request
