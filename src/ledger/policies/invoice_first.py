"""Invoice first (发票): a refund waits until the purchase's invoice is withdrawn or returned."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Purchase
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import RefundMarketplaceManually, RequestMarketplaceRefund
from ledger.vocabulary.shapes import InvoiceState

RULE = "invoice_first"


def invoice_must_be_withdrawn(case: Case) -> Iterator[Violation]:
    """A requested invoice is withdrawn first. Source: seed 001 (前往发票管理撤回开票申请).

    By hand: the invoice is APPLIED; the buyer applies: `INVOICE_MUST_BE_WITHDRAWN`.
    """
    if _invoice_state(case) is InvoiceState.APPLIED:
        said = Said("an invoice is applied for; withdraw that application first")
        code = Code.INVOICE_MUST_BE_WITHDRAWN
        yield violation(RULE, code, said, invoice_state=InvoiceState.APPLIED)


def invoice_must_be_returned(case: Case) -> Iterator[Violation]:
    """An issued invoice is returned first. Source: seed 001 (需要您和服务商协商如何退发票).

    By hand: the invoice is ISSUED; support refunds by ticket: `INVOICE_MUST_BE_RETURNED`.
    """
    if _invoice_state(case) is InvoiceState.ISSUED:
        said = Said("the invoice was sent; agree with the vendor how to return it first")
        code = Code.INVOICE_MUST_BE_RETURNED
        yield violation(RULE, code, said, invoice_state=InvoiceState.ISSUED)


def in_the_way(invoice_state: InvoiceState) -> bool:
    """Does an invoice in this state stop a refund? Checked again at its completion."""
    return invoice_state in (InvoiceState.APPLIED, InvoiceState.ISSUED)


def _invoice_state(case: Case) -> InvoiceState | None:
    if not isinstance(case.command, RequestMarketplaceRefund | RefundMarketplaceManually):
        return None
    return case.the(Purchase, case.command.purchase_id).invoice_state
