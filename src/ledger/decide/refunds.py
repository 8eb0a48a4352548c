"""What becomes of a settlement command that no policy objects to."""

from __future__ import annotations

from typing import assert_never

from ledger import postings
from ledger.decide.facts import Fact, at_once
from ledger.decide.settlement import settled, task
from ledger.policies.case import Case
from ledger.state.entities import Refund
from ledger.vocabulary.commands import (
    ConfirmCardRefund,
    CorrectRefund,
    FailCardRefund,
    SettlementCommand,
    SettleRefund,
)
from ledger.vocabulary.events import Event, RefundCorrected, RefundHeld, RefundSettled
from ledger.vocabulary.shapes import HoldReason


def accepted(case: Case, command: SettlementCommand) -> tuple[Fact, ...]:
    """The events of the command."""
    match command:
        case SettleRefund():
            return at_once(case, *settled(case, command))
        case ConfirmCardRefund():
            return at_once(case, _confirmed(case, command))
        case FailCardRefund():
            return at_once(case, *_failed(case, command))
        case CorrectRefund():
            return at_once(case, _corrected(case, command))
        case _ as unreachable:
            assert_never(unreachable)


def _confirmed(case: Case, command: ConfirmCardRefund) -> RefundSettled:
    refund = case.the(Refund, command.refund_id)
    return RefundSettled(
        refund_id=command.refund_id,
        gateway_reference=command.gateway_reference,
        gateway_reason=_kept(case, command.reason),
        postings=postings.card_refund_confirmed(refund.amount),
        currency=case.account.currency,
    )


def _failed(case: Case, command: FailCardRefund) -> tuple[Event, ...]:
    """Owed as before, and a person is to find another way."""
    refund = case.the(Refund, command.refund_id)
    waits = RefundHeld(
        refund_id=command.refund_id,
        reason=HoldReason.GATEWAY_FAILED,
        gateway_reference=command.gateway_reference,
        gateway_reason=_kept(case, command.reason),
        postings=postings.card_refund_failed(refund.amount),
        currency=case.account.currency,
    )
    reason = HoldReason.GATEWAY_FAILED
    return waits, task(case, command.refund_id, reason, _kept(case, command.reason))


def _kept(case: Case, text: str | None) -> str | None:
    """What the gateway said; the first edition did not keep it."""
    return None if case.by_first_edition else text


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
