"""Two answers of a gateway: a time-out never says whether the work happened, so all are believed.

An answer is refused only where it names a card refund that was never asked for, is given a second
time, or takes back a confirmation.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.card_attempts import number_of
from ledger.state.entities import Refund
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import ConfirmCardRefund, FailCardRefund

RULE = "two_answers_of_a_gateway"


def not_found(case: Case) -> Iterator[Violation]:
    """What is answered must have been asked for.

    Source: decided for this ledger. By hand: the gateway was asked once; an answer for attempt 2:
    `NOT_FOUND`, figures attempt = 2, attempts = 1.
    """
    match case.command:
        case (ConfirmCardRefund() | FailCardRefund()) as answer if answer.attempt is not None:
            attempts = len(case.the(Refund, answer.refund_id).attempts)
            if answer.attempt > attempts:
                yield violation(
                    RULE,
                    Code.NOT_FOUND,
                    Said(
                        "refund {refund} has no attempt {attempt}, so far there were {attempts}; "
                        "name the one that is answered"
                    ),
                    refund=answer.refund_id,
                    attempt=str(answer.attempt),
                    attempts=str(attempts),
                )


def wrong_answer_state(case: Case) -> Iterator[Violation]:
    """The same answer says nothing new, and what was paid cannot have failed.

    Source: decided for this ledger. By hand: attempt 1 was confirmed under g-1. Confirmed under g-1
    once more, or failed: `WRONG_STATE`. Confirmed under g-2: believed, it was paid twice. Attempt 2
    confirmed under g-1: recorded, it is the same payment. In the first edition the gateway answered
    once, and the state of the refund said so. That the gateway was asked at all is judged before.
    """
    match case.command:
        case (ConfirmCardRefund() | FailCardRefund()) as answer if not case.by_first_edition:
            yield from _nothing_new(answer, case.the(Refund, answer.refund_id))


def _nothing_new(answer: ConfirmCardRefund | FailCardRefund, refund: Refund) -> Iterator[Violation]:
    number = number_of(refund, answer.attempt)
    attempt, reference = refund.attempts[number - 1], answer.gateway_reference
    fails, paid = isinstance(answer, FailCardRefund), next(iter(attempt.confirmed), "")
    if reference in (attempt.failed if fails else attempt.confirmed):
        why = Said(
            "the gateway has said this of attempt {attempt} before; what is new has a reference of "
            "its own"
        )
    elif fails and attempt.confirmed:
        why = Said(
            "the gateway has paid attempt {attempt} as {paid}, and what was paid cannot have failed"
        )
    else:
        return
    yield violation(
        RULE,
        Code.WRONG_STATE,
        Said("refund {refund} is {state}: {why}"),
        {"paid": paid},
        why,
        refund=answer.refund_id,
        state=refund.status,
        attempt=str(number),
        gateway_reference=reference,
    )
