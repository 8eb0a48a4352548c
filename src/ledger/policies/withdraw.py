"""Withdraw (撤回): the buyer's or the vendor's answer to an application; the first one counts."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Purchase, PurchaseStatus
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    DeclineMarketplaceRefund,
    WithdrawMarketplaceRefund,
)


def not_pending(case: Case) -> Iterator[Violation]:
    """Only a pending application is approved or declined; a held one may still be withdrawn.

    Source: seed 001 (您也可以在3日内撤回退款申请，继续使用产品). By hand: the buyer withdraws at
    08:00:00, the vendor's approval is decided a moment later: `NOT_PENDING`, state = ACTIVE.
    """
    open_states: tuple[PurchaseStatus, ...]
    match case.command:
        case WithdrawMarketplaceRefund(purchase_id=purchase_id):
            open_states = (PurchaseStatus.REFUND_PENDING, PurchaseStatus.HELD)
        case (
            ApproveMarketplaceRefund(purchase_id=purchase_id)
            | DeclineMarketplaceRefund(purchase_id=purchase_id)
        ):
            open_states = (PurchaseStatus.REFUND_PENDING,)
        case _:
            return
    state = case.the(Purchase, purchase_id).status
    if state not in open_states:
        yield violation(
            "withdraw",
            Code.NOT_PENDING,
            Said("purchase {purchase} is {state}: no application waits for this answer"),
            purchase=purchase_id,
            state=state,
        )
