"""Access ends: after a refund the buyer may no longer operate the resource, nor the vendor act."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Purchase
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    ConfirmService,
    DeclineMarketplaceRefund,
    RequestMarketplaceRefund,
    WithdrawMarketplaceRefund,
)

_ByBuyerOrVendor = (
    ConfirmService
    | RequestMarketplaceRefund
    | WithdrawMarketplaceRefund
    | ApproveMarketplaceRefund
    | DeclineMarketplaceRefund
)


def access_revoked(case: Case) -> Iterator[Violation]:
    """After access is revoked, every command of the buyer or the vendor is refused.

    Source: seed 001 (退款成功后，您将不再有权限操作该资源实例). Support in their place is refused
    too; invoice records, manual refunds and corrections stay possible.

    By hand: 1.00 of 300.00 was refunded by ticket; the buyer applies for the rest:
    `ACCESS_REVOKED`; support refunds another 1.00: accepted.
    """
    if not isinstance(case.command, _ByBuyerOrVendor):
        return
    purchase_id = case.command.purchase_id
    if not case.the(Purchase, purchase_id).access_revoked:
        return
    yield violation(
        "access_ends",
        Code.ACCESS_REVOKED,
        Said("purchase {purchase} was refunded and its access revoked; open a ticket instead"),
        purchase=purchase_id,
        state=case.the(Purchase, purchase_id).status,
    )
