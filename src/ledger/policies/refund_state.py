"""Refund state: which commands a refund takes as far as it has come."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.commands import SettleRefund
from ledger.policies.case import Case, violation
from ledger.refusal import Code, Violation
from ledger.shapes import SourceKind
from ledger.state.entities import Refund, RefundStatus


def wrong_refund_state(case: Case) -> Iterator[Violation]:
    """Only a refund that is issued, or held, can be settled. Source: decided for this ledger.

    By hand: the refund is SETTLED; a second SettleRefund under another id: `WRONG_STATE`. A refund
    of a reservation goes to no balance and stays ISSUED in this version: `WRONG_STATE` too.
    """
    if not isinstance(case.command, SettleRefund):
        return
    refund = case.the(Refund, case.command.refund_id)
    if refund.status not in (RefundStatus.ISSUED, RefundStatus.HELD):
        yield _wrong(case.command, refund, "only an issued one can be settled")
    elif refund.source.kind is SourceKind.RESERVATION:
        why = "of a reservation, which this version does not settle"
        yield _wrong(case.command, refund, why, source=refund.source.kind)


def _wrong(command: SettleRefund, refund: Refund, why: str, **figures: str) -> Violation:
    return violation(
        "existence_and_state",
        Code.WRONG_STATE,
        f"refund {command.refund_id} is {refund.status}: {why}",
        refund=command.refund_id,
        state=refund.status,
        **figures,
    )
