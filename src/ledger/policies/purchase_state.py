"""Purchase state: which commands are possible in which state of a purchase and its invoice."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Purchase, PurchaseStatus
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    ConfirmService,
    RecordInvoiceState,
    RefundMarketplaceManually,
    RequestMarketplaceRefund,
)
from ledger.vocabulary.shapes import InvoiceState, ProductKind

_UNDER_WAY = (PurchaseStatus.REFUND_PENDING, PurchaseStatus.HELD)
_INVOICE_MOVES = {
    InvoiceState.NONE: (InvoiceState.APPLIED,),
    InvoiceState.APPLIED: (InvoiceState.NONE, InvoiceState.ISSUED),
    InvoiceState.ISSUED: (InvoiceState.RETURNED,),
    InvoiceState.RETURNED: (InvoiceState.APPLIED,),
}


def wrong_purchase_state(case: Case) -> Iterator[Violation]:
    """`WRONG_STATE` for purchases: one application at a time, one confirmation of a service.

    Source: seed 001. By hand: an application is pending; a second one, `ConfirmService` and a
    manual refund: `WRONG_STATE`, figures state = REFUND_PENDING. An invoice goes from NONE to
    APPLIED, then back to NONE or to ISSUED, then to RETURNED, and then to APPLIED again: NONE to
    ISSUED is `WRONG_STATE`, figures invoice_state and asked_for.
    """
    match case.command:
        case RequestMarketplaceRefund() | RefundMarketplaceManually():
            yield from _under_way(case, case.command.purchase_id)
        case ConfirmService(purchase_id=purchase_id):
            yield from _under_way(case, purchase_id)
            yield from _not_to_confirm(case, purchase_id)
        case RecordInvoiceState():
            yield from _wrong_move(case, case.command)
        case _:
            return


def _under_way(case: Case, purchase_id: str) -> Iterator[Violation]:
    purchase = case.the(Purchase, purchase_id)
    if purchase.status in _UNDER_WAY:
        yield _wrong(
            purchase_id, purchase, Said("an application for refund is under way; end it first")
        )


def _not_to_confirm(case: Case, purchase_id: str) -> Iterator[Violation]:
    purchase = case.the(Purchase, purchase_id)
    if purchase.status is not PurchaseStatus.ACTIVE:
        return
    if purchase.product_kind is not ProductKind.HUMAN_SERVICE:
        yield _wrong(purchase_id, purchase, Said("only a HUMAN_SERVICE is confirmed"))
    elif purchase.service_confirmed:
        yield _wrong(purchase_id, purchase, Said("its service is confirmed already"))


def _wrong_move(case: Case, command: RecordInvoiceState) -> Iterator[Violation]:
    purchase = case.the(Purchase, command.purchase_id)
    allowed = _INVOICE_MOVES[purchase.invoice_state]
    if command.invoice_state in allowed:
        return
    yield _wrong(
        command.purchase_id,
        purchase,
        Said("its invoice is {invoice_state} and can only become {allowed}"),
        invoice_state=purchase.invoice_state,
        asked_for=command.invoice_state,
        allowed=", ".join(allowed),
    )


def _wrong(purchase_id: str, purchase: Purchase, why: Said, **figures: str) -> Violation:
    return violation(
        "existence_and_state",
        Code.WRONG_STATE,
        Said("purchase {purchase} ({product_kind}) is {state}: {why}"),
        {"product_kind": purchase.product_kind},
        why,
        purchase=purchase_id,
        state=purchase.status,
        **figures,
    )
