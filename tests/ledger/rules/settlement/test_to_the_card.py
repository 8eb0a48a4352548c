"""Settle to the card: asked of the gateway for the original card, which confirms or fails it."""

from __future__ import annotations

import pytest

from ledger.state.entities import RefundStatus
from ledger.values.refusal import Code
from ledger.vocabulary.commands import ChangeCard, ConfirmCardRefund, FailCardRefund, SettleRefund
from ledger.vocabulary.events import (
    CardRefundRequested,
    InvoiceCancelled,
    InvoiceIssued,
    RefundHeld,
    RefundSettled,
    SupportTaskOpened,
)
from ledger.vocabulary.shapes import (
    HoldReason,
    InvoiceLine,
    InvoiceLineKind,
    Payment,
    PaymentMethod,
    Role,
)
from tests.ledger.rules.instances import acts
from tests.ledger.rules.reservations.stories import holding, names, refund_entity
from tests.ledger.rules.settlement.stories import (
    by_card,
    given_back,
    moved,
    net,
    on_it,
    settle,
    traded,
)
from tests.scenario import Scenario

CARD_ALONE = Payment(method=PaymentMethod.CARD, card_id="k-1")


def confirm(refund_id: str) -> ConfirmCardRefund:
    return ConfirmCardRefund(refund_id=refund_id, gateway_reference="g-1")


def fail(refund_id: str) -> FailCardRefund:
    return FailCardRefund(refund_id=refund_id, gateway_reference="g-1", reason="card closed")


def again(refund_id: str, card_id: str | None = None) -> SettleRefund:
    return SettleRefund(refund_id=refund_id, card_id=card_id)


def requested(payment: Payment = CARD_ALONE) -> tuple[Scenario, str]:
    """A refund of 365.00 that the gateway has been asked for."""
    s = by_card(payment=payment)
    refund_id = given_back(s).refund_id
    settle(s, refund_id)
    return s, refund_id


def test_the_invoice_is_issued_again_and_the_gateway_asked_for_the_original_card() -> None:
    s = by_card()
    refund = given_back(s.at("2026-01-15T10:00:00Z"))
    settle(s, refund.refund_id)
    s.then(
        InvoiceCancelled(invoice_id="inv-1", refund_id=refund.refund_id),
        InvoiceIssued(
            invoice_id=s.derived("invoice"),
            refund_id=refund.refund_id,
            lines=(
                InvoiceLine(kind=InvoiceLineKind.PURCHASE, amount=36_500),
                InvoiceLine(kind=InvoiceLineKind.REFUND, amount=-35_500),
            ),
            total=1_000,
            purchases=(on_it("r-1", 36_500, refunded=35_500),),
            currency="USD",
        ),
        CardRefundRequested(
            refund_id=refund.refund_id,
            attempt=1,
            card_id="k-1",
            amount=35_500,
            postings=moved("refund_payable", "card_transit", 35_500),
            currency="USD",
        ),
    )
    assert refund_entity(s, refund.refund_id).status is RefundStatus.SETTLING


def test_without_an_invoice_only_the_gateway_is_asked() -> None:
    s, _ = requested()
    assert names(s) == ["CardRefundRequested"]


def test_the_gateway_confirms_and_it_is_settled() -> None:
    s, refund_id = requested()
    s.when(confirm(refund_id)).then(
        RefundSettled(
            refund_id=refund_id,
            attempt=1,
            gateway_reference="g-1",
            postings=moved("card_transit", "gateway", 36_500),
            currency="USD",
        )
    )
    assert refund_entity(s, refund_id).status is RefundStatus.SETTLED
    assert net(s)["gateway"] == -36_500


def test_the_gateway_fails_and_it_is_held_for_support() -> None:
    s, refund_id = requested()
    s.when(fail(refund_id)).then(
        RefundHeld(
            refund_id=refund_id,
            reason=HoldReason.GATEWAY_FAILED,
            attempt=1,
            gateway_reference="g-1",
            gateway_reason="card closed",
            postings=moved("card_transit", "refund_payable", 36_500),
            currency="USD",
        ),
        SupportTaskOpened(
            task_id=s.derived("task"),
            refund_id=refund_id,
            reason="GATEWAY_FAILED",
            attempt=1,
            gateway_reason="card closed",
        ),
    )
    assert net(s)["refund_payable"] == -36_500


def test_support_settles_a_failed_one_again_with_a_card_named() -> None:
    s, refund_id = requested(Payment(method=PaymentMethod.CARD, card_id="k-1", invoice_id="inv-1"))
    s.give(fail(refund_id))
    s.when(again(refund_id, "k-2"), role=Role.SUPPORT).then(
        CardRefundRequested(
            refund_id=refund_id,
            attempt=2,
            card_id="k-2",
            amount=36_500,
            postings=moved("refund_payable", "card_transit", 36_500),
            currency="USD",
        )
    )
    s.give(confirm(refund_id))
    assert refund_entity(s, refund_id).status is RefundStatus.SETTLED
    assert {"refund_payable", "card_transit"}.isdisjoint(net(s))


def test_without_a_card_named_support_has_the_original_one_tried_again() -> None:
    s, refund_id = requested()
    s.give(fail(refund_id))
    s.give(again(refund_id), role=Role.SUPPORT)
    assert names(s) == ["CardRefundRequested"]


def test_the_system_does_not_settle_a_held_one_again() -> None:
    s, refund_id = requested()
    s.give(fail(refund_id))
    refusal = s.when(again(refund_id), role=Role.SYSTEM).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures == {"refund": refund_id, "state": "HELD"}
    assert "only support" in refusal.violations[0].message


def test_another_card_on_file_holds_it_for_support() -> None:
    s = by_card()
    refund_id = given_back(s).refund_id
    s.give(ChangeCard(card_id="k-2"))
    settle(s, refund_id)
    assert s.outcome[2:] == (
        RefundHeld(refund_id=refund_id, reason=HoldReason.ORIGINAL_CARD_CHANGED, currency="USD"),
        SupportTaskOpened(
            task_id=s.derived("task"), refund_id=refund_id, reason="ORIGINAL_CARD_CHANGED"
        ),
    )
    assert names(s)[:2] == ["InvoiceCancelled", "InvoiceIssued"]
    s.give(again(refund_id), role=Role.SUPPORT)
    assert names(s) == ["RefundHeld", "SupportTaskOpened"]
    s.give(again(refund_id, "k-2"), role=Role.SUPPORT)
    assert names(s) == ["CardRefundRequested"]


def test_the_original_card_on_file_again_is_no_obstacle() -> None:
    s = by_card(payment=CARD_ALONE)
    s.give(ChangeCard(card_id="k-2"))
    s.give(ChangeCard(card_id="k-1"))
    settle(s, given_back(s).refund_id)
    assert names(s) == ["CardRefundRequested"]


def test_each_leg_of_an_exchange_is_asked_for_its_own_card() -> None:
    s = by_card()
    leg = traded(s, "r-1", payment=Payment(method=PaymentMethod.CARD, card_id="k-1")).returned[0]
    settle(s, leg.refund_id)
    assert names(s) == ["InvoiceCancelled", "InvoiceIssued", "CardRefundRequested"]


@pytest.mark.parametrize("answer", [confirm, fail])
def test_the_gateway_says_the_same_once_and_only_when_asked(answer: type) -> None:
    s = by_card(payment=CARD_ALONE)
    refund_id = given_back(s).refund_id
    s.when(answer(refund_id)).refused(Code.WRONG_STATE)
    settle(s, refund_id)
    s.give(confirm(refund_id), id="g-1")
    s.when(confirm(refund_id), id="g-1").then()
    figures = s.when(answer(refund_id)).refused(Code.WRONG_STATE).violations[0].figures
    assert figures == {
        "refund": refund_id,
        "state": "SETTLED",
        "attempt": "1",
        "gateway_reference": "g-1",
    }
    s.when(answer("r-77")).refused(Code.NOT_FOUND)
    s.when(answer(refund_id), role=Role.SUPPORT).refused(Code.FORBIDDEN)


def test_it_is_not_asked_for_twice() -> None:
    s, refund_id = requested()
    s.when(again(refund_id), role=Role.SUPPORT).refused(Code.WRONG_STATE)


def test_no_card_is_named_for_what_was_not_paid_by_card() -> None:
    s = holding()
    refund_id = given_back(s).refund_id
    refusal = s.when(again(refund_id, "k-2"), role=Role.SUPPORT).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures["method"] == "INVOICE"


def test_no_card_is_named_for_what_goes_back_to_the_balance() -> None:
    s = acts.bought()
    refund_id = acts.returned(s).refund_id
    refusal = s.when(again(refund_id, "k-2"), role=Role.SUPPORT).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures["method"] == "BALANCE"
    settle(s, refund_id)
    assert names(s) == ["BalanceCredited", "RefundSettled"]
