"""Corrections: support reverses a complete refund, once, never while a card refund is pending."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.card_attempts import under_way
from ledger.state.entities import Refund, RefundStatus
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import CorrectRefund

RULE = "corrections"


def wrong_correction_state(case: Case) -> Iterator[Violation]:
    """Before the gateway has answered, it is not known what must be reversed.

    Source: decided for this ledger. By hand: a card refund is asked for; CorrectRefund:
    `WRONG_STATE`, figures state = SETTLING; once the gateway has confirmed or failed it: fine. It
    is SETTLED by attempt 1, though attempt 2 is under way: `WRONG_STATE`, figures attempt = 2.
    """
    if not isinstance(case.command, CorrectRefund):
        return
    refund_id, refund = case.command.refund_id, case.the(Refund, case.command.refund_id)
    state, attempt = refund.status, under_way(refund)
    if state is RefundStatus.SETTLING:
        said = Said("refund {refund} is {state}: wait until the gateway confirms or fails it")
        yield violation(RULE, Code.WRONG_STATE, said, refund=refund_id, state=state)
    elif attempt is not None:
        said = Said(
            "refund {refund} is {state}, but attempt {attempt} is under way: wait until the "
            "gateway confirms or fails that too"
        )
        yield violation(
            RULE, Code.WRONG_STATE, said, refund=refund_id, state=state, attempt=str(attempt)
        )


def already_corrected(case: Case) -> Iterator[Violation]:
    """A refund is corrected completely, and only once.

    Source: decided for this ledger. By hand: the refund was corrected; CorrectRefund under another
    id: `ALREADY_CORRECTED`.
    """
    if not isinstance(case.command, CorrectRefund):
        return
    refund_id, state = case.command.refund_id, case.the(Refund, case.command.refund_id).status
    if state is RefundStatus.CORRECTED:
        said = Said("refund {refund} was corrected before, and a correction reverses all of it")
        yield violation(RULE, Code.ALREADY_CORRECTED, said, refund=refund_id, state=state)
