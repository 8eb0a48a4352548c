"""Application: a reason, the acknowledgement, and at most four refunds by self-service."""

from __future__ import annotations

import pytest

from ledger.values.refusal import Code
from ledger.vocabulary.commands import ConfirmService, WithdrawMarketplaceRefund
from ledger.vocabulary.events import MarketplaceRefundRequested
from ledger.vocabulary.shapes import InvoiceState, ProductKind, Role
from tests.ledger.rules.marketplace.stories import (
    application,
    applied,
    approve,
    bought,
    invoice,
    names,
    purchase,
    ticket,
)
from tests.scenario import Scenario


def test_a_reason_is_required() -> None:
    refusal = bought().when(application(reason=None)).refused(Code.REASON_REQUIRED)
    assert refusal.violations[0].rule == "application"
    assert refusal.violations[0].figures["allowed"].startswith("CANNOT_DELIVER, ")


def test_the_notice_must_be_acknowledged() -> None:
    refusal = bought().when(application(acknowledged=False)).refused(Code.NOT_ACKNOWLEDGED)
    assert refusal.violations[0].rule == "application"


def test_everything_wrong_is_said_at_once_in_order() -> None:
    s = invoice(_four_used(), InvoiceState.APPLIED)
    s.at("2026-02-01T00:00:00Z").when(application("p-1", None, acknowledged=False))
    s.refused(
        Code.REVIEW_PERIOD_OVER,
        Code.REASON_REQUIRED,
        Code.NOT_ACKNOWLEDGED,
        Code.RETURN_QUOTA_EXHAUSTED,
        Code.INVOICE_MUST_BE_WITHDRAWN,
    )


def test_the_fourth_application_is_the_last() -> None:
    s = _four_used()
    refusal = s.when(application("p-1")).refused(Code.RETURN_QUOTA_EXHAUSTED)
    assert refusal.violations[0].figures == {"issued": "2", "pending": "2", "limit": "4"}


def test_support_standing_in_is_bound_by_the_quota() -> None:
    _four_used().when(application(), role=Role.SUPPORT).refused(Code.RETURN_QUOTA_EXHAUSTED)


def test_a_withdrawn_application_gives_the_quota_back() -> None:
    s = _four_used()
    s.give(WithdrawMarketplaceRefund(purchase_id="p-11"))
    s.when(application("p-1"))
    assert isinstance(s.outcome[0], MarketplaceRefundRequested)


def test_a_manual_refund_spends_no_quota() -> None:
    s = _four_used().when(ticket(100))
    assert names(s) == ["RefundIssued", "AccessRevoked"]
    assert s.the_account().marketplace_refunds_issued == 2


def test_one_application_at_a_time() -> None:
    refusal = applied().when(application()).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures == {"purchase": "p-1", "state": "REFUND_PENDING"}


def test_while_it_is_pending_nothing_is_confirmed_or_refunded_by_ticket() -> None:
    s = applied(ProductKind.HUMAN_SERVICE)
    s.when(ConfirmService(purchase_id="p-1")).refused(Code.WRONG_STATE)
    s.when(ticket(100)).refused(Code.WRONG_STATE)


def test_a_held_one_still_counts_as_pending() -> None:
    s = approve(invoice(applied(), InvoiceState.APPLIED))
    assert s.the_account().marketplace_refunds_pending == 1
    s.when(ticket(100)).refused(Code.WRONG_STATE)


def test_a_redelivery_stays_quiet() -> None:
    s = bought()
    s.give(application(reason=None), id="c-1")
    s.when(application(reason=None), id="c-1").then()


def _four_used() -> Scenario:
    """p-1 untouched; of p-10 to p-13 two are refunded and two applications are pending."""
    s = bought()
    for purchase_id in ("p-10", "p-11", "p-12", "p-13"):
        s.give(purchase(purchase_id))
        s.give(application(purchase_id))
    approve(s, "p-10")
    approve(s, "p-12")
    return s


@pytest.mark.parametrize("issued", [0, 1, 2, 3, 4])
def test_the_fifth_is_one_too_many_however_many_of_four_were_issued(issued: int) -> None:
    s = bought()
    for number in range(1, 5):
        s.give(purchase(f"p-1{number}"))
        assert names(s.when(application(f"p-1{number}"))) == ["MarketplaceRefundRequested"]
        if number <= issued:
            approve(s, f"p-1{number}")
    figures = s.when(application()).refused(Code.RETURN_QUOTA_EXHAUSTED).violations[0].figures
    assert figures == {"issued": str(issued), "pending": str(4 - issued), "limit": "4"}
