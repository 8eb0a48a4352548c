"""What becomes of a settlement command that no policy objects to."""

from __future__ import annotations

from ledger.commands import ConfirmCardRefund, CorrectRefund, FailCardRefund, SettleRefund
from ledger.decide.facts import Fact, at_once
from ledger.events import BalanceCredited, RefundSettled
from ledger.instants import MINUTE
from ledger.policies.case import Case
from ledger.postings import balance_credited
from ledger.state.entities import Refund


def accepted(
    case: Case, command: SettleRefund | ConfirmCardRefund | FailCardRefund | CorrectRefund
) -> tuple[Fact, ...]:
    """The events of the command."""
    if not isinstance(command, SettleRefund):
        raise NotImplementedError(case.given.name)
    refund = case.the(Refund, command.refund_id)
    cash, gift = refund.parts.cash or 0, refund.parts.gift or 0
    credited = BalanceCredited(
        refund_id=command.refund_id,
        cash=cash,
        gift=gift,
        expected_arrival_at=case.now + case.terms.arrival_minutes * MINUTE,
        postings=balance_credited(cash, gift),
        currency=case.account.currency,
    )
    settled = RefundSettled(refund_id=command.refund_id, currency=case.account.currency)
    return at_once(case, credited, settled)
