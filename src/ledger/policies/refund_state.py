"""Refund state: which commands a refund takes as far as it has come."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.commands import SettleRefund
from ledger.policies.case import Case, violation
from ledger.refusal import Code, Violation
from ledger.state.entities import Refund, RefundStatus


def wrong_refund_state(case: Case) -> Iterator[Violation]:
    """Only a refund that is issued, or held, can be settled. Source: decided for this ledger.

    By hand: the refund is SETTLED; a second SettleRefund under another id: `WRONG_STATE`.
    """
    if not isinstance(case.command, SettleRefund):
        return
    refund = case.the(Refund, case.command.refund_id)
    if refund.status in (RefundStatus.ISSUED, RefundStatus.HELD):
        return
    yield violation(
        "existence_and_state",
        Code.WRONG_STATE,
        f"refund {case.command.refund_id} is {refund.status}; only an issued one can be settled",
        refund=case.command.refund_id,
        state=refund.status,
    )
