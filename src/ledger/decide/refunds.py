"""The events of a settlement command that no policy refuses."""

from __future__ import annotations

from typing import assert_never

from ledger import postings
from ledger.decide import gateway_answers
from ledger.decide.facts import Fact, at_once
from ledger.decide.settlement import settled
from ledger.policies.case import Case
from ledger.state.entities import Refund
from ledger.vocabulary.commands import (
    ConfirmCardRefund,
    CorrectRefund,
    FailCardRefund,
    SettlementCommand,
    SettleRefund,
)
from ledger.vocabulary.events import RefundCorrected


def accepted(case: Case, command: SettlementCommand) -> tuple[Fact, ...]:
    """The events of the command."""
    match command:
        case SettleRefund():
            return at_once(case, *settled(case, command))
        case ConfirmCardRefund():
            return at_once(case, *gateway_answers.confirmed(case, command))
        case FailCardRefund():
            return at_once(case, *gateway_answers.failed(case, command))
        case CorrectRefund():
            return at_once(case, _corrected(case, command))
        case _ as unreachable:
            assert_never(unreachable)


def _corrected(case: Case, command: CorrectRefund) -> RefundCorrected:
    """Every posting made for the refund so far, on the other side; what it used, if asked for.

    By hand: issued and credited to the balance, 100.00: debit refunds and credit refund payable,
    then debit refund payable and credit cash; all four lines turn, and the cash balance is down by
    100.00, below 0 if it is spent.
    """
    refund = case.the(Refund, command.refund_id)
    return RefundCorrected(
        refund_id=command.refund_id,
        reason=command.reason,
        quota_restored=command.restore_quota and refund.quota_spent,
        cap_restored=command.restore_cap and refund.cap_block is not None,
        postings=postings.reversal(refund.postings),
        currency=case.account.currency,
    )
