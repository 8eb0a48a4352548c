"""What becomes of an answer of the card gateway: whatever it says is believed, and recorded."""

from __future__ import annotations

from typing import TypeVar

from ledger import postings
from ledger.decide.settlement import task
from ledger.policies.case import Case
from ledger.state.card_attempts import number_of, references_paid, under_way
from ledger.state.entities import Refund, RefundStatus
from ledger.vocabulary.commands import ConfirmCardRefund, FailCardRefund
from ledger.vocabulary.events import (
    Event,
    GatewayAnswerRecorded,
    RefundHeld,
    RefundOverpaid,
    RefundSettled,
)
from ledger.vocabulary.shapes import GatewayAnswer, HoldReason

T = TypeVar("T")

SECOND_ATTEMPT_UNDER_WAY = "SECOND_ATTEMPT_UNDER_WAY"
PAID_TWICE = "PAID_TWICE"
PAID_AFTER_CORRECTION = "PAID_AFTER_CORRECTION"


def confirmed(case: Case, command: ConfirmCardRefund) -> tuple[Event, ...]:
    """The refund is settled by the first payment; any further one was not owed.

    By hand, 100.00: attempt 1 is called failed, support asks again as attempt 2. Attempt 1 is
    confirmed under g-1: settled by it, debit card transit 100.00, credit gateway 100.00, and a task
    about attempt 2. That is confirmed under g-2: paid twice, debit customer receivable 100.00,
    credit gateway 100.00, and a task. Under g-1 instead: the same payment, only recorded.
    """
    refund = case.the(Refund, command.refund_id)
    number = number_of(refund, command.attempt)
    if refund.status in (RefundStatus.SETTLING, RefundStatus.HELD):
        return _settled(case, command, refund, number)
    if command.gateway_reference in references_paid(refund):
        return (_recorded(command, number, GatewayAnswer.CONFIRMED),)
    return _overpaid(case, command, refund, number)


def failed(case: Case, command: FailCardRefund) -> tuple[Event, ...]:
    """What is under way is owed as before, and a person is to find another way.

    Any other failure changes nothing: the attempt was called failed before, or the refund was
    settled by an earlier one, whose payment emptied the transit.
    """
    refund = case.the(Refund, command.refund_id)
    number = number_of(refund, command.attempt)
    if refund.status is not RefundStatus.SETTLING or number != under_way(refund):
        return (_recorded(command, number, GatewayAnswer.FAILED),)
    attempt, reason = _kept(case, number), HoldReason.GATEWAY_FAILED
    waits = RefundHeld(
        refund_id=command.refund_id,
        reason=reason,
        attempt=attempt,
        gateway_reference=command.gateway_reference,
        gateway_reason=_kept(case, command.reason),
        postings=postings.card_refund_failed(refund.amount),
        currency=case.account.currency,
    )
    return waits, task(case, command.refund_id, reason, attempt, _kept(case, command.reason))


def _settled(
    case: Case, command: ConfirmCardRefund, refund: Refund, number: int
) -> tuple[Event, ...]:
    """From the transit, whichever attempt it stands for; or from what is owed, where it is held."""
    on_its_way = refund.status is RefundStatus.SETTLING
    move = (
        postings.card_refund_confirmed if on_its_way else postings.card_refund_confirmed_after_all
    )
    done = RefundSettled(
        refund_id=command.refund_id,
        attempt=_kept(case, number),
        gateway_reference=command.gateway_reference,
        gateway_reason=_kept(case, command.reason),
        postings=move(refund.amount),
        currency=case.account.currency,
    )
    other = under_way(refund)
    if other in (None, number):
        return (done,)
    return done, task(case, command.refund_id, SECOND_ATTEMPT_UNDER_WAY, other)


def _overpaid(
    case: Case, command: ConfirmCardRefund, refund: Refund, number: int
) -> tuple[Event, ...]:
    """Nothing was owed any more: it was paid before, or the refund was corrected."""
    overpaid = RefundOverpaid(
        refund_id=command.refund_id,
        attempt=number,
        gateway_reference=command.gateway_reference,
        gateway_reason=command.reason,
        amount=refund.amount,
        postings=postings.refund_overpaid(refund.amount),
        currency=case.account.currency,
    )
    reason = PAID_TWICE if references_paid(refund) else PAID_AFTER_CORRECTION
    return overpaid, task(case, command.refund_id, reason, number, command.reason)


def _recorded(
    command: ConfirmCardRefund | FailCardRefund, number: int, answer: GatewayAnswer
) -> GatewayAnswerRecorded:
    return GatewayAnswerRecorded(
        refund_id=command.refund_id,
        attempt=number,
        answer=answer,
        gateway_reference=command.gateway_reference,
        gateway_reason=command.reason,
    )


def _kept(case: Case, said: T) -> T | None:
    """What the gateway said, and of which attempt; the first edition did not keep it."""
    return None if case.by_first_edition else said
