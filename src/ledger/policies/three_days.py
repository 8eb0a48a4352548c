"""Three days (最迟3个自然日): a SAAS application can be answered only before its third day ends."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Purchase
from ledger.values.instants import format_instant
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    DeclineMarketplaceRefund,
    WithdrawMarketplaceRefund,
)


def not_pending(case: Case) -> Iterator[Violation]:
    """From the end of the third natural day on no answer counts, even if the timer is late.

    Source: seed 001 (最迟3个自然日后完成退款, 3日内撤回). By hand: applied 5 Jan in Shanghai;
    withdrawn 8 Jan 23:59:59 there: accepted; at exactly 9 Jan 00:00: `NOT_PENDING`. A
    HUMAN_SERVICE has no third day: its application stays open until it is answered.
    """
    match case.command:
        case (
            WithdrawMarketplaceRefund(purchase_id=purchase_id)
            | ApproveMarketplaceRefund(purchase_id=purchase_id)
            | DeclineMarketplaceRefund(purchase_id=purchase_id)
        ):
            request = case.the(Purchase, purchase_id).request
        case _:
            return
    if request is None or request.due_at is None or case.now < request.due_at:
        return
    yield violation(
        "three_days",
        Code.NOT_PENDING,
        Said("purchase {purchase}: the application could be answered until {due_at}; it completes"),
        purchase=purchase_id,
        due_at=format_instant(request.due_at),
        now=format_instant(case.now),
    )
