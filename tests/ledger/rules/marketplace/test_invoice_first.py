"""Invoice first: at the application, at the completion, and how an invoice may move."""

from __future__ import annotations

from itertools import product

import pytest

from ledger.state.entities import PurchaseStatus
from ledger.values.instants import parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import RecordInvoiceState
from ledger.vocabulary.events import InvoiceStateRecorded, MarketplaceRefundHeld
from ledger.vocabulary.shapes import InvoiceState, Role
from tests.ledger.rules.marketplace.stories import (
    SAAS_DUE,
    application,
    applied,
    approve,
    bought,
    invoice,
    names,
    request_id,
    the_purchase,
    the_refund,
    ticket,
    timer,
)

NONE, APPLIED = InvoiceState.NONE, InvoiceState.APPLIED
ISSUED, RETURNED = InvoiceState.ISSUED, InvoiceState.RETURNED
ROADS = {
    NONE: (),
    APPLIED: (APPLIED,),
    ISSUED: (APPLIED, ISSUED),
    RETURNED: (APPLIED, ISSUED, RETURNED),
}
MOVES = {(NONE, APPLIED), (APPLIED, NONE), (APPLIED, ISSUED), (ISSUED, RETURNED)} | {
    (RETURNED, APPLIED)
}


@pytest.mark.parametrize(("before", "after"), list(product(InvoiceState, InvoiceState)))
def test_an_invoice_moves_as_invoices_do(before: InvoiceState, after: InvoiceState) -> None:
    s = invoice(bought(), *ROADS[before])
    invoice(s, after)
    if (before, after) in MOVES:
        assert s.outcome == (InvoiceStateRecorded(purchase_id="p-1", invoice_state=after),)
    else:
        figures = s.refused(Code.WRONG_STATE).violations[0].figures
        assert (figures["invoice_state"], figures["asked_for"]) == (before, after)


@pytest.mark.parametrize(
    ("state", "code"),
    [(APPLIED, Code.INVOICE_MUST_BE_WITHDRAWN), (ISSUED, Code.INVOICE_MUST_BE_RETURNED)],
)
def test_neither_an_application_nor_a_ticket_passes_an_invoice(
    state: InvoiceState, code: Code
) -> None:
    s = invoice(bought(), *ROADS[state])
    refusal = s.when(application()).refused(code)
    assert refusal.violations[0].rule == "invoice_first"
    assert refusal.violations[0].figures == {"invoice_state": state}
    s.when(ticket(100)).refused(code)


def test_a_returned_invoice_is_no_obstacle() -> None:
    s = invoice(bought(), *ROADS[RETURNED]).when(application())
    assert names(s) == ["MarketplaceRefundRequested"]


def test_an_invoice_asked_for_meanwhile_holds_the_completion() -> None:
    s = invoice(applied(), APPLIED)
    request = request_id(s)
    approve(s)
    assert names(s) == ["MarketplaceRefundApproved", "MarketplaceRefundHeld"]
    assert s.outcome[1] == MarketplaceRefundHeld(
        purchase_id="p-1", request_id=request, invoice_state=APPLIED, auto_approved=False
    )
    assert the_purchase(s).status is PurchaseStatus.HELD


def test_withdrawing_the_invoice_completes_it_in_the_same_decision() -> None:
    s = invoice(approve(invoice(applied(), APPLIED)), NONE)
    assert names(s) == ["InvoiceStateRecorded", "RefundIssued", "AccessRevoked"]
    assert the_refund(s).amount == 30_000
    assert the_refund(s).auto_approved is False
    account = s.the_account()
    assert (account.marketplace_refunds_issued, account.marketplace_refunds_pending) == (1, 0)


def test_returning_the_invoice_completes_it_but_issuing_it_does_not() -> None:
    s = approve(invoice(applied(), APPLIED))
    assert names(invoice(s, ISSUED)) == ["InvoiceStateRecorded"]
    assert names(invoice(s, RETURNED)) == ["InvoiceStateRecorded", "RefundIssued", "AccessRevoked"]


def test_the_timer_holds_as_of_the_deadline_and_completes_later_as_its_own_doing() -> None:
    s = timer(invoice(applied(), APPLIED).at("2026-01-09T00:00:00Z"))
    assert names(s) == ["MarketplaceRefundApproved", "MarketplaceRefundHeld"]
    assert {fact.occurred_at for fact in s.facts} == {parse_instant(SAAS_DUE)}
    invoice(s.at("2026-01-20T00:00:00Z"), NONE)
    assert the_refund(s).auto_approved is True
    assert {fact.occurred_at for fact in s.facts} == {s.now}


def test_the_vendor_may_record_the_invoice_of_its_own_purchases_only() -> None:
    s = bought()
    asked = RecordInvoiceState(purchase_id="p-1", invoice_state=APPLIED)
    s.when(asked, role=Role.VENDOR, actor_id="v-2").refused(Code.FORBIDDEN)
    s.when(asked, role=Role.VENDOR, actor_id="v-1")
    assert names(s) == ["InvoiceStateRecorded"]
    s.when(asked, role=Role.SUPPORT).refused(Code.FORBIDDEN)


def test_a_redelivery_stays_quiet() -> None:
    s = approve(invoice(applied(), APPLIED))
    withdrawn = RecordInvoiceState(purchase_id="p-1", invoice_state=NONE)
    s.give(withdrawn, role=Role.BILLING, id="c-1")
    s.when(withdrawn, role=Role.BILLING, id="c-1").then()
