"""Marketplace purchases: applied for, withdrawn or confirmed, and what an approval would bring."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.values.instants import DAY
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    ConfirmService,
    RequestMarketplaceRefund,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.events import RefundIssued
from ledger.vocabulary.shapes import InvoiceState, Parts, ProductKind, RefundRule, Role
from tests.ledger.eligibility.asked import asking, codes, open_acts, verdict
from tests.ledger.rules.marketplace.stories import (
    application,
    applied,
    approve,
    bought,
    invoice,
    the_refund,
)


def test_an_application_brings_what_the_approval_would() -> None:
    s = bought()
    found = verdict(s, RequestMarketplaceRefund)
    assert found.may
    assert found.to_give == ("reason",)
    assert found.then is ApproveMarketplaceRefund
    assert isinstance(found.brings, RefundIssued)
    assert (found.brings.rule, found.brings.amount) == (RefundRule.MARKETPLACE_REVIEW, 30_000)
    assert found.brings.parts == Parts(cash=20_000, gift=10_000)
    s.give(application())
    approve(s)
    real = the_refund(s)
    assert replace(found.brings, refund_id=real.refund_id) == real


def test_it_is_the_buyer_who_applies() -> None:
    found = verdict(bought(), RequestMarketplaceRefund)
    assert (found.asked.meta.actor.id, found.asked.meta.actor.role) == ("u-1", Role.BUYER)
    s = bought()
    other = verdict(s, RequestMarketplaceRefund, asking(s, actor_id="u-2"))
    assert codes(other) == [Code.FORBIDDEN]
    assert other.brings is None


def test_after_the_review_period_nothing_comes_of_it() -> None:
    s = bought().later(5 * DAY)
    found = verdict(s, RequestMarketplaceRefund)
    assert codes(found) == [Code.REVIEW_PERIOD_OVER]
    assert (found.brings, found.then) == (None, None)


def test_an_invoice_stands_in_the_way_with_its_sentence() -> None:
    s = invoice(bought(), InvoiceState.APPLIED)
    (found,) = verdict(s, RequestMarketplaceRefund).violations
    assert found.code is Code.INVOICE_MUST_BE_WITHDRAWN
    assert found.message
    assert found.figures


def test_while_it_is_pending_it_may_be_withdrawn_and_no_more() -> None:
    s = applied()
    assert open_acts(s, "p-1") == ["WithdrawMarketplaceRefund"]
    assert codes(verdict(s, RequestMarketplaceRefund)) == [Code.WRONG_STATE]
    s.later(4 * DAY)
    assert codes(verdict(s, WithdrawMarketplaceRefund)) == [Code.NOT_PENDING]


def test_a_service_may_be_confirmed() -> None:
    s = bought(ProductKind.HUMAN_SERVICE)
    assert open_acts(s, "p-1") == ["RequestMarketplaceRefund", "ConfirmService"]
    assert codes(verdict(bought(), ConfirmService)) == [Code.WRONG_STATE]


def test_what_was_refunded_takes_no_act_of_the_buyer() -> None:
    s = approve(applied())
    assert open_acts(s, "p-1") == []
    assert codes(verdict(s, RequestMarketplaceRefund)) == [Code.ACCESS_REVOKED]
