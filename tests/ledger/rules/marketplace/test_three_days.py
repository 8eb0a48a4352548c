"""Three days: nobody answered by the end of the third natural day, so the refund completes."""

from __future__ import annotations

import pytest

from ledger.values.instants import HOUR, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    Command,
    CompleteOverdueMarketplaceRefund,
    DeclineMarketplaceRefund,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.events import MarketplaceRefundApproved
from ledger.vocabulary.shapes import InvoiceState, ProductKind
from tests.ledger.rules.marketplace.stories import (
    LAST_MOMENT,
    SAAS_DUE,
    application,
    applied,
    approve,
    invoice,
    names,
    request_id,
    the_refund,
    timer,
)

ANSWERS = [
    (WithdrawMarketplaceRefund(purchase_id="p-1"), "u-1"),
    (ApproveMarketplaceRefund(purchase_id="p-1"), "v-1"),
    (DeclineMarketplaceRefund(purchase_id="p-1"), "v-1"),
]


def test_the_timer_completes_it_as_of_the_deadline_however_late_it_wakes() -> None:
    s = applied()
    request = request_id(s)
    timer(s.at(parse_instant(SAAS_DUE) + HOUR))
    assert names(s) == ["MarketplaceRefundApproved", "RefundIssued", "AccessRevoked"]
    approved = MarketplaceRefundApproved(purchase_id="p-1", request_id=request, auto_approved=True)
    assert s.outcome[0] == approved
    assert the_refund(s).auto_approved is True
    assert {fact.occurred_at for fact in s.facts} == {parse_instant(SAAS_DUE)}


def test_at_the_deadline_it_is_due_and_before_it_is_not() -> None:
    s = applied()
    refusal = timer(s.at(LAST_MOMENT)).refused(Code.NOT_DUE)
    assert refusal.violations[0].figures == {"due_at": SAAS_DUE, "now": LAST_MOMENT}
    assert "RefundIssued" in names(timer(s.at(SAAS_DUE)))


@pytest.mark.parametrize(("answer", "actor"), ANSWERS)
def test_an_answer_counts_at_the_last_moment(answer: Command, actor: str) -> None:
    s = applied().at(LAST_MOMENT).when(answer, actor_id=actor)
    assert "CommandRefused" not in names(s)


@pytest.mark.parametrize(("answer", "actor"), ANSWERS)
def test_no_answer_counts_from_the_deadline_on_even_if_the_timer_sleeps(
    answer: Command, actor: str
) -> None:
    refusal = applied().at(SAAS_DUE).when(answer, actor_id=actor).refused(Code.NOT_PENDING)
    assert refusal.violations[0].rule == "three_days"
    assert refusal.violations[0].figures["due_at"] == SAAS_DUE


@pytest.mark.parametrize(("answer", "actor"), ANSWERS)
def test_a_human_service_has_no_third_day(answer: Command, actor: str) -> None:
    s = applied(ProductKind.HUMAN_SERVICE).at("2027-01-01T00:00:00Z").when(answer, actor_id=actor)
    assert "CommandRefused" not in names(s)


def test_no_timer_completes_a_human_service() -> None:
    s = applied(ProductKind.HUMAN_SERVICE).at("2027-01-01T00:00:00Z")
    timer(s).refused(Code.NOT_PENDING)


def test_a_stale_timer_comes_to_nothing() -> None:
    s = applied()
    first = request_id(s)
    s.give(WithdrawMarketplaceRefund(purchase_id="p-1"))
    timer(s.at(SAAS_DUE), first).refused(Code.NOT_PENDING)
    s.give(application())
    timer(s, first).refused(Code.NOT_PENDING)


def test_a_timer_after_an_approval_comes_to_nothing() -> None:
    s = approve(applied()).at(SAAS_DUE)
    timer(s).refused(Code.NOT_PENDING)


def test_a_timer_of_a_held_one_comes_to_nothing() -> None:
    s = approve(invoice(applied(), InvoiceState.APPLIED)).at(SAAS_DUE)
    refusal = timer(s).refused(Code.NOT_PENDING)
    assert refusal.violations[0].figures["state"] == "HELD"


def test_a_redelivered_timer_stays_quiet() -> None:
    s = applied().at(SAAS_DUE)
    command = CompleteOverdueMarketplaceRefund(purchase_id="p-1", request_id=request_id(s))
    s.give(command, id="c-1")
    s.when(command, id="c-1").then()
