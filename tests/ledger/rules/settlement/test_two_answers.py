"""Two answers of a gateway: every one is believed, the refund is settled once, nothing is lost."""

from __future__ import annotations

import pytest

from ledger.state.entities import CardAttempt, RefundStatus
from ledger.values.refusal import Code
from ledger.vocabulary.commands import ChangeCard, SettleRefund
from ledger.vocabulary.envelope import FIRST_EDITION, NEWEST_EDITION
from ledger.vocabulary.events import (
    CardRefundRequested,
    GatewayAnswerRecorded,
    RefundHeld,
    RefundOverpaid,
    RefundSettled,
    SupportTaskOpened,
)
from ledger.vocabulary.shapes import GatewayAnswer, Role
from tests.ledger.rules.instances import acts
from tests.ledger.rules.reservations.stories import names, refund_entity
from tests.ledger.rules.settlement.gateway import (
    AMOUNT,
    CARD_ALONE,
    asked,
    asked_again,
    confirms,
    failed,
    fails,
)
from tests.ledger.rules.settlement.stories import by_card, correct, given_back, moved, net, settle
from tests.scenario import Scenario


def settled(refund_id: str, attempt: int, reference: str, debit: str) -> RefundSettled:
    return RefundSettled(
        refund_id=refund_id,
        attempt=attempt,
        gateway_reference=reference,
        postings=moved(debit, "gateway", AMOUNT),
        currency="USD",
    )


def overpaid(refund_id: str, attempt: int, reference: str) -> RefundOverpaid:
    return RefundOverpaid(
        refund_id=refund_id,
        attempt=attempt,
        gateway_reference=reference,
        amount=AMOUNT,
        postings=moved("customer_receivable", "gateway", AMOUNT),
        currency="USD",
    )


def task(s: Scenario, refund_id: str, reason: str, attempt: int) -> SupportTaskOpened:
    return SupportTaskOpened(
        task_id=s.derived("task"), refund_id=refund_id, reason=reason, attempt=attempt
    )


def recorded(
    refund_id: str, attempt: int, answer: GatewayAnswer, reference: str
) -> GatewayAnswerRecorded:
    return GatewayAnswerRecorded(
        refund_id=refund_id, attempt=attempt, answer=answer, gateway_reference=reference
    )


def status(s: Scenario, refund_id: str) -> RefundStatus:
    return refund_entity(s, refund_id).status


def test_the_story_of_a_refund_paid_twice() -> None:
    """Attempt 1 times out, support asks again, and the gateway confirms both."""
    s, refund_id = asked_again()
    s.when(confirms(refund_id, "g-1", 1))
    s.then(
        settled(refund_id, 1, "g-1", "card_transit"),
        task(s, refund_id, "SECOND_ATTEMPT_UNDER_WAY", 2),
    )
    s.when(confirms(refund_id, "g-2", 2))
    s.then(overpaid(refund_id, 2, "g-2"), task(s, refund_id, "PAID_TWICE", 2))
    assert status(s, refund_id) is RefundStatus.SETTLED
    assert net(s) == {
        "receivable": AMOUNT,
        "sales": -AMOUNT,
        "refunds": AMOUNT,
        "gateway": -2 * AMOUNT,
        "customer_receivable": AMOUNT,
    }
    assert s.folded().entities() == s.state.entities()


def test_what_the_gateway_says_of_a_payment_too_many_is_kept() -> None:
    s, refund_id = asked()
    s.give(confirms(refund_id))
    paid, told = s.give(confirms(refund_id, "g-2", reason="sent late"))
    assert isinstance(paid, RefundOverpaid)
    assert isinstance(told, SupportTaskOpened)
    assert (paid.gateway_reason, told.gateway_reason) == ("sent late", "sent late")


def test_card_refunds_are_numbered_from_1() -> None:
    s, refund_id = asked()
    assert [e.attempt for e in s.outcome if isinstance(e, CardRefundRequested)] == [1]
    s.give(fails(refund_id))
    s.give(SettleRefund(refund_id=refund_id), role=Role.SUPPORT)
    assert [e.attempt for e in s.outcome if isinstance(e, CardRefundRequested)] == [2]


def test_an_attempt_called_failed_and_confirmed_settles_a_held_refund() -> None:
    s, refund_id = failed()
    s.when(confirms(refund_id, "g-1", 1)).then(settled(refund_id, 1, "g-1", "refund_payable"))
    assert status(s, refund_id) is RefundStatus.SETTLED
    assert {"refund_payable", "card_transit", "customer_receivable"}.isdisjoint(net(s))
    s.when(SettleRefund(refund_id=refund_id), role=Role.SUPPORT).refused(Code.WRONG_STATE)


def test_so_it_does_where_another_card_holds_the_next_attempt() -> None:
    s, refund_id = failed()
    s.give(ChangeCard(card_id="k-9"))
    s.give(SettleRefund(refund_id=refund_id), role=Role.SUPPORT)
    assert names(s) == ["RefundHeld", "SupportTaskOpened"]
    s.when(confirms(refund_id)).then(settled(refund_id, 1, "g-1", "refund_payable"))


def test_an_answer_that_names_no_attempt_is_of_the_last() -> None:
    s, refund_id = asked_again()
    s.when(confirms(refund_id)).then(settled(refund_id, 2, "g-1", "card_transit"))
    s.when(fails(refund_id, "g-9")).refused(Code.WRONG_STATE)
    s.when(fails(refund_id, "g-9", 1)).then(recorded(refund_id, 1, GatewayAnswer.FAILED, "g-9"))


def test_a_later_attempt_that_fails_once_an_earlier_was_paid_is_recorded() -> None:
    s, refund_id = asked_again()
    s.give(confirms(refund_id, "g-1", 1))
    before = net(s)
    s.when(fails(refund_id, "t-2", 2)).then(recorded(refund_id, 2, GatewayAnswer.FAILED, "t-2"))
    assert (status(s, refund_id), net(s)) == (RefundStatus.SETTLED, before)
    s.when(confirms(refund_id, "g-2", 2))
    s.then(overpaid(refund_id, 2, "g-2"), task(s, refund_id, "PAID_TWICE", 2))


def test_an_earlier_attempt_that_fails_once_more_leaves_the_later_one_under_way() -> None:
    s, refund_id = asked_again()
    s.when(fails(refund_id, "t-9", 1)).then(recorded(refund_id, 1, GatewayAnswer.FAILED, "t-9"))
    assert status(s, refund_id) is RefundStatus.SETTLING
    s.when(confirms(refund_id, "g-2", 2)).then(settled(refund_id, 2, "g-2", "card_transit"))


def test_one_payment_told_for_both_attempts_is_recorded_and_no_money() -> None:
    s, refund_id = asked_again()
    s.give(confirms(refund_id, "g-1", 1))
    s.when(confirms(refund_id, "g-1", 2)).then(
        recorded(refund_id, 2, GatewayAnswer.CONFIRMED, "g-1")
    )
    assert "customer_receivable" not in net(s)
    s.when(confirms(refund_id, "g-1", 2)).refused(Code.WRONG_STATE)
    s.when(fails(refund_id, "t-2", 2)).refused(Code.WRONG_STATE)


def test_each_further_reference_is_one_more_payment() -> None:
    s, refund_id = asked()
    s.give(confirms(refund_id, "g-1"))
    for reference in ("g-2", "g-3"):
        s.when(confirms(refund_id, reference))
        s.then(overpaid(refund_id, 1, reference), task(s, refund_id, "PAID_TWICE", 1))
    assert net(s)["customer_receivable"] == 2 * AMOUNT


@pytest.mark.parametrize(("attempt", "code"), [(1, None), (2, None), (3, Code.NOT_FOUND)])
@pytest.mark.parametrize("answer", [confirms, fails])
def test_an_attempt_that_was_never_made_is_not_found(
    answer: type, attempt: int, code: Code | None
) -> None:
    s, refund_id = asked_again()
    s.give(answer(refund_id, "g-7", attempt))
    if code is None:
        assert "CommandRefused" not in names(s)
        return
    figures = s.refused(code).violations[0].figures
    assert figures == {"refund": refund_id, "attempt": "3", "attempts": "2"}


@pytest.mark.parametrize("answer", [confirms, fails])
def test_what_never_went_to_a_card_has_no_attempt(answer: type) -> None:
    s = acts.bought()
    refund_id = acts.returned(s).refund_id
    s.when(answer(refund_id, "g-1", 1)).refused(Code.NOT_FOUND)
    refusal = s.when(answer(refund_id, "g-1")).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures == {"refund": refund_id, "state": "ISSUED"}
    s.when(answer("r-77", "g-1", 1)).refused(Code.NOT_FOUND)
    s.when(answer(refund_id, "g-1", 1), role=Role.SUPPORT).refused(Code.NOT_FOUND)


def test_only_the_same_answer_again_is_refused() -> None:
    s, refund_id = failed()
    figures = s.when(fails(refund_id, "t-1", 1)).refused(Code.WRONG_STATE).violations[0].figures
    assert figures == {
        "refund": refund_id,
        "state": "HELD",
        "attempt": "1",
        "gateway_reference": "t-1",
    }
    s.when(fails(refund_id, "t-2", 1)).then(recorded(refund_id, 1, GatewayAnswer.FAILED, "t-2"))
    s.when(confirms(refund_id, "t-1", 1)).then(settled(refund_id, 1, "t-1", "refund_payable"))
    refusal = s.when(confirms(refund_id, "t-1")).refused(Code.WRONG_STATE).violations[0]
    assert refusal.rule == "two_answers_of_a_gateway"
    assert "has said this of attempt 1 before" in refusal.message
    message = s.when(fails(refund_id, "t-3")).refused(Code.WRONG_STATE).violations[0].message
    assert "cannot have failed" in message


def test_a_redelivered_answer_says_nothing_again() -> None:
    s, refund_id = asked()
    s.give(confirms(refund_id), id="a-1")
    s.when(confirms(refund_id), id="a-1").then()
    s.give(confirms(refund_id, "g-2"), id="a-2")
    s.when(confirms(refund_id, "g-2"), id="a-2").then()
    s.give(confirms(refund_id, "g-3"), id="a-2")
    s.refused(Code.COMMAND_ID_REUSED)
    assert net(s)["customer_receivable"] == AMOUNT


def test_a_payment_after_a_correction_is_owed_by_the_customer() -> None:
    s, refund_id = failed()
    s.give(correct(refund_id))
    s.when(confirms(refund_id, "g-1", 1))
    s.then(overpaid(refund_id, 1, "g-1"), task(s, refund_id, "PAID_AFTER_CORRECTION", 1))
    assert status(s, refund_id) is RefundStatus.CORRECTED
    s.when(confirms(refund_id, "g-2", 1))
    s.then(overpaid(refund_id, 1, "g-2"), task(s, refund_id, "PAID_TWICE", 1))
    assert {name: net(s)[name] for name in ("gateway", "customer_receivable")} == {
        "gateway": -2 * AMOUNT,
        "customer_receivable": 2 * AMOUNT,
    }
    s.when(correct(refund_id)).refused(Code.ALREADY_CORRECTED)


def test_a_failure_after_a_correction_is_recorded() -> None:
    s, refund_id = failed()
    s.give(correct(refund_id))
    s.when(fails(refund_id, "t-2")).then(recorded(refund_id, 1, GatewayAnswer.FAILED, "t-2"))


def test_a_correction_reverses_what_was_overpaid_too() -> None:
    s, refund_id = asked()
    s.give(confirms(refund_id, "g-1"))
    s.give(confirms(refund_id, "g-2"))
    s.give(correct(refund_id))
    assert net(s) == {"receivable": AMOUNT, "sales": -AMOUNT}


def test_nothing_is_corrected_while_a_second_attempt_is_under_way() -> None:
    s, refund_id = asked_again()
    s.give(confirms(refund_id, "g-1", 1))
    refusal = s.when(correct(refund_id)).refused(Code.WRONG_STATE).violations[0]
    assert refusal.figures == {"refund": refund_id, "state": "SETTLED", "attempt": "2"}
    s.give(fails(refund_id, "t-2", 2))
    s.give(correct(refund_id))
    assert names(s) == ["RefundCorrected"]


def test_in_the_first_edition_the_gateway_answered_once() -> None:
    s, refund_id = asked_in_the_first_edition()
    s.when(confirms(refund_id)).then(
        RefundSettled(
            refund_id=refund_id,
            gateway_reference="g-1",
            postings=moved("card_transit", "gateway", AMOUNT),
            currency="USD",
        )
    )
    for answer in (confirms(refund_id), confirms(refund_id, "g-2"), fails(refund_id)):
        refusal = s.when(answer).refused(Code.WRONG_STATE).violations[0]
        assert refusal.rule == "existence_and_state"
        assert refusal.message.endswith("is SETTLED: no card refund is under way")


def test_what_the_first_edition_refused_is_believed_when_it_is_said_again() -> None:
    s, refund_id = asked_in_the_first_edition()
    (held, told) = s.give(fails(refund_id, "t-1"))
    assert isinstance(held, RefundHeld)
    assert isinstance(told, SupportTaskOpened)
    assert (held.attempt, told.attempt) == (None, None)
    s.when(confirms(refund_id)).refused(Code.WRONG_STATE)
    s.give(SettleRefund(refund_id=refund_id, card_id="k-2"), role=Role.SUPPORT)
    assert refund_entity(s, refund_id).attempts == (CardAttempt(failed=("t-1",)), CardAttempt())
    s.edition = NEWEST_EDITION
    s.when(confirms(refund_id, "g-1", 1))
    s.then(
        settled(refund_id, 1, "g-1", "card_transit"),
        task(s, refund_id, "SECOND_ATTEMPT_UNDER_WAY", 2),
    )
    assert s.folded().entities() == s.state.entities()


def asked_in_the_first_edition() -> tuple[Scenario, str]:
    """No event of it says which attempt it is about."""
    s = by_card(payment=CARD_ALONE)
    s.edition = FIRST_EDITION
    refund_id = given_back(s).refund_id
    settle(s, refund_id)
    assert [getattr(event, "attempt", 0) for event in s.outcome] == [None]
    return s, refund_id
