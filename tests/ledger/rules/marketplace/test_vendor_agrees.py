"""Vendor agrees: the vendor's approval completes the refund, a decline ends the application."""

from __future__ import annotations

from ledger.postings import balance_credited, refund_issued
from ledger.state.entities import PurchaseStatus
from ledger.values.instants import MINUTE
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    DeclineMarketplaceRefund,
    SettleRefund,
)
from ledger.vocabulary.events import (
    AccessRevoked,
    BalanceCredited,
    MarketplaceRefundApproved,
    MarketplaceRefundDeclined,
    RefundIssued,
    RefundSettled,
)
from ledger.vocabulary.shapes import Parts, RefundRule, RefundSource, Role, SourceKind, WorkingStep
from tests.bodies import paid
from tests.ledger.rules.marketplace.stories import (
    application,
    applied,
    approve,
    names,
    request_id,
    the_purchase,
    the_refund,
)

WORKING = (
    WorkingStep(
        step="paid",
        inputs={"cash": "200.00 CNY", "gift": "100.00 CNY", "voucher_not_returned": "50.00 CNY"},
        result="300.00 CNY",
    ),
    WorkingStep(
        step="refund",
        inputs={"refunded_before": "0.00 CNY", "cash": "200.00 CNY", "gift": "100.00 CNY"},
        result="300.00 CNY",
    ),
)


def test_an_approval_refunds_all_that_was_paid_and_revokes_access() -> None:
    s = applied()
    request = request_id(s)
    s.when(ApproveMarketplaceRefund(purchase_id="p-1", note="agreed"), actor_id="v-1").then(
        MarketplaceRefundApproved(
            purchase_id="p-1", request_id=request, auto_approved=False, note="agreed"
        ),
        RefundIssued(
            refund_id=s.derived("refund"),
            source=RefundSource(kind=SourceKind.MARKETPLACE, id="p-1"),
            rule=RefundRule.MARKETPLACE_REVIEW,
            gross=30_000,
            fee=0,
            amount=30_000,
            parts=Parts(cash=20_000, gift=10_000),
            auto_approved=False,
            quota_spent=True,
            working=WORKING,
            postings=refund_issued(30_000, 0),
            currency="CNY",
        ),
        AccessRevoked(purchase_id="p-1", buyer_id="u-1"),
    )
    assert the_purchase(s).status is PurchaseStatus.REFUNDED
    account = s.the_account()
    assert (account.marketplace_refunds_issued, account.marketplace_refunds_pending) == (1, 0)
    assert s.folded().entities() == s.state.entities()


def test_it_is_settled_to_the_balance_fund_by_fund() -> None:
    s = approve(applied())
    refund_id = the_refund(s).refund_id
    s.when(SettleRefund(refund_id=refund_id)).then(
        BalanceCredited(
            refund_id=refund_id,
            cash=20_000,
            gift=10_000,
            expected_arrival_at=s.now + 30 * MINUTE,
            postings=balance_credited(20_000, 10_000),
            currency="CNY",
        ),
        RefundSettled(refund_id=refund_id, currency="CNY"),
    )


def test_a_refund_of_nothing_is_settled_at_once() -> None:
    s = approve(applied(funds=paid(voucher=5_000)))
    assert names(s) == [
        "MarketplaceRefundApproved",
        "RefundIssued",
        "RefundSettled",
        "AccessRevoked",
    ]
    assert the_refund(s).postings == ()


def test_a_decline_leaves_the_purchase_as_it_was_and_the_quota_free() -> None:
    s = applied()
    request = request_id(s)
    s.when(DeclineMarketplaceRefund(purchase_id="p-1", note="was delivered"), actor_id="v-1").then(
        MarketplaceRefundDeclined(purchase_id="p-1", request_id=request, note="was delivered")
    )
    assert the_purchase(s).status is PurchaseStatus.ACTIVE
    assert s.the_account().marketplace_refunds_pending == 0
    assert names(s.when(application())) == ["MarketplaceRefundRequested"]


def test_another_vendor_may_not_approve() -> None:
    s = applied().when(ApproveMarketplaceRefund(purchase_id="p-1"), actor_id="v-2")
    refusal = s.refused(Code.FORBIDDEN)
    assert refusal.violations[0].figures == {"role": "VENDOR", "actor": "v-2", "vendor": "v-1"}


def test_another_buyer_may_not_apply() -> None:
    s = applied().when(application(), actor_id="u-2")
    refusal = s.refused(Code.FORBIDDEN)
    assert refusal.violations[0].figures == {"role": "BUYER", "actor": "u-2", "buyer": "u-1"}


def test_support_may_not_approve_for_the_vendor() -> None:
    s = applied().when(ApproveMarketplaceRefund(purchase_id="p-1"), role=Role.SUPPORT)
    s.refused(Code.FORBIDDEN)


def test_a_redelivered_approval_stays_quiet() -> None:
    s = applied()
    command = ApproveMarketplaceRefund(purchase_id="p-1")
    s.give(command, actor_id="v-1", id="c-1")
    s.when(command, actor_id="v-1", id="c-1").then()
