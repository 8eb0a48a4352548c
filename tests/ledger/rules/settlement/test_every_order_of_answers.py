"""Every order of what a gateway may say of two attempts: nothing is lost, nothing settled twice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from ledger.vocabulary.commands import ConfirmCardRefund, CorrectRefund, FailCardRefund
from ledger.vocabulary.events import (
    CommandRefused,
    Event,
    RefundCorrected,
    RefundOverpaid,
    RefundSettled,
    SupportTaskOpened,
)
from tests.ledger.rules.settlement.gateway import AMOUNT, asked_again, confirms, fails
from tests.ledger.rules.settlement.stories import correct, net
from tests.scenario import Scenario

Answer = ConfirmCardRefund | FailCardRefund
R = "the refund"
ANSWERS: tuple[Answer, ...] = (
    confirms(R, "g-1", 1),
    confirms(R, "g-2", 2),
    confirms(R, "g-1", 2),
    confirms(R, "g-3"),
    fails(R, "t-1", 1),
    fails(R, "t-2", 2),
)
WITH_CORRECTION: tuple[Answer | CorrectRefund, ...] = (
    confirms(R, "g-1", 1),
    confirms(R, "g-2", 2),
    confirms(R, "g-2", 2),
    fails(R, "t-2", 2),
    correct(R),
)


class Heard:
    """What a naive listener has heard so far, attempt by attempt."""

    def __init__(self) -> None:
        self.paid: set[tuple[int, str]] = set()
        self.failed = {(1, "t-1")}
        self.corrected = False

    @property
    def payments(self) -> int:
        """As many as there are references."""
        return len({reference for _, reference in self.paid})

    def is_new(self, answer: Answer) -> bool:
        """Whether it says something that can be true and was not said before; then it is heard."""
        number = answer.attempt or 2
        said = (number, answer.gateway_reference)
        if isinstance(answer, ConfirmCardRefund):
            new = said not in self.paid
            self.paid.add(said)
            return new
        new = said not in self.failed and number not in {one for one, _ in self.paid}
        if new:
            self.failed.add(said)
        return new

    def is_answered(self) -> bool:
        """Whether nobody waits for attempt 2 any more."""
        return any(number == 2 for number, _ in self.paid | self.failed)


@pytest.mark.parametrize(
    "first", ANSWERS, ids=lambda one: f"{type(one).__name__[:4]}-{one.attempt}"
)
def test_every_order_of_the_answers_of_two_attempts(first: Answer) -> None:
    orders = [order for order in permutations(ANSWERS) if order[0] == first]
    assert len(orders) == 120
    for order in orders:
        live(order)


def test_every_order_with_a_correction_among_them() -> None:
    for order in permutations(WITH_CORRECTION):
        live(order)


def live(order: Sequence[Answer | CorrectRefund]) -> None:
    """One order, looked at after every step."""
    s, refund_id = asked_again()
    heard, events = Heard(), [event.body for event in s.recorded]
    for step in order:
        outcome = s.give(_of(step, refund_id))
        events += outcome
        refused = isinstance(outcome[0], CommandRefused)
        if isinstance(step, CorrectRefund):
            assert refused != heard.is_answered(), order
            heard.corrected = not refused
        elif heard.is_new(step):
            assert not refused, (order, step)
            assert getattr(outcome[0], "gateway_reference", "") == step.gateway_reference
            assert getattr(outcome[0], "attempt", 0) == (step.attempt or 2)
        else:
            assert refused, (order, step)
        _adds_up(s, events, heard)
    assert s.folded().entities() == s.state.entities()


def _of(step: Answer | CorrectRefund, refund_id: str) -> Answer | CorrectRefund:
    match step:
        case CorrectRefund():
            return correct(refund_id)
        case ConfirmCardRefund():
            return confirms(refund_id, step.gateway_reference, step.attempt)
        case FailCardRefund():
            return fails(refund_id, step.gateway_reference, step.attempt)


def _adds_up(s: Scenario, events: Sequence[Event], heard: Heard) -> None:
    settled = sum(isinstance(event, RefundSettled) for event in events)
    too_many = sum(isinstance(event, RefundOverpaid) for event in events)
    assert settled <= 1
    assert settled + too_many == heard.payments
    told = [event.reason for event in events if isinstance(event, SupportTaskOpened)]
    assert sum(reason.startswith("PAID_") for reason in told) == too_many
    standing = net(s)
    assert sum(standing.values()) == 0
    if heard.corrected:
        reversed_at = next(n for n, e in enumerate(events) if isinstance(e, RefundCorrected))
        later = sum(isinstance(event, RefundOverpaid) for event in events[reversed_at:])
        assert standing.get("customer_receivable", 0) == later * AMOUNT
        assert standing.get("gateway", 0) == -later * AMOUNT
        return
    assert standing.get("gateway", 0) == -heard.payments * AMOUNT
    assert standing.get("customer_receivable", 0) == too_many * AMOUNT
    owed = standing.get("refund_payable", 0) + standing.get("card_transit", 0)
    assert owed == (0 if settled else -AMOUNT)
