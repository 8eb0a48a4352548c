"""Withdraw: the buyer takes the application back and keeps the product; the first answer wins."""

from __future__ import annotations

from ledger.state.entities import PurchaseStatus
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    DeclineMarketplaceRefund,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.events import MarketplaceRefundWithdrawn
from ledger.vocabulary.shapes import InvoiceState, Role
from tests.ledger.rules.marketplace.stories import (
    application,
    applied,
    approve,
    bought,
    invoice,
    names,
    request_id,
    the_purchase,
)

WITHDRAW = WithdrawMarketplaceRefund(purchase_id="p-1")


def test_the_buyer_withdraws_and_may_apply_again() -> None:
    s = applied()
    request = request_id(s)
    s.when(WITHDRAW).then(MarketplaceRefundWithdrawn(purchase_id="p-1", request_id=request))
    assert the_purchase(s).status is PurchaseStatus.ACTIVE
    assert names(s.when(application())) == ["MarketplaceRefundRequested"]


def test_what_is_held_may_still_be_withdrawn_but_not_answered_again() -> None:
    s = approve(invoice(applied(), InvoiceState.APPLIED))
    approve(s).refused(Code.NOT_PENDING)
    decline = DeclineMarketplaceRefund(purchase_id="p-1")
    s.when(decline, actor_id="v-1").refused(Code.NOT_PENDING)
    assert names(s.when(WITHDRAW)) == ["MarketplaceRefundWithdrawn"]
    assert names(invoice(s, InvoiceState.NONE)) == ["InvoiceStateRecorded"]


def test_an_approval_after_a_withdrawal_loses() -> None:
    s = applied()
    s.give(WITHDRAW)
    s.when(ApproveMarketplaceRefund(purchase_id="p-1"), actor_id="v-1")
    refusal = s.refused(Code.NOT_PENDING)
    assert refusal.violations[0].rule == "withdraw"
    assert refusal.violations[0].figures == {"purchase": "p-1", "state": "ACTIVE"}


def test_a_withdrawal_without_an_application_finds_none() -> None:
    bought().when(WITHDRAW).refused(Code.NOT_PENDING)


def test_a_withdrawal_after_the_refund_finds_its_access_revoked() -> None:
    approve(applied()).when(WITHDRAW).refused(Code.ACCESS_REVOKED)


def test_support_may_withdraw_for_the_buyer() -> None:
    assert names(applied().when(WITHDRAW, role=Role.SUPPORT)) == ["MarketplaceRefundWithdrawn"]


def test_a_redelivery_stays_quiet() -> None:
    s = applied()
    s.give(WITHDRAW, id="c-1")
    s.when(WITHDRAW, id="c-1").then()
