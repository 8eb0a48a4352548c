"""Account and source: which type of account holds what."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.commands import (
    RecordInstanceOrder,
    RecordMarketplacePurchase,
    StartPostpaidInstance,
)
from ledger.policies.case import Case, violation
from ledger.refusal import Code, Violation
from ledger.shapes import AccountType


def account_type_not_eligible(case: Case) -> Iterator[Violation]:
    """ONLINE accounts hold instances and marketplace purchases, the others reservations.

    Source: seeds 000, 001 and 003. By hand: an instance order or a marketplace purchase for an EA
    account: `ACCOUNT_TYPE_NOT_ELIGIBLE`.
    """
    match case.command:
        case RecordInstanceOrder() | StartPostpaidInstance():
            held = "instances"
        case RecordMarketplacePurchase():
            held = "marketplace purchases"
        case _:
            return
    if case.account.account_type is AccountType.ONLINE:
        return
    yield violation(
        "account_and_source",
        Code.ACCOUNT_TYPE_NOT_ELIGIBLE,
        f"a {case.account.account_type} account holds no {held}; use an ONLINE account",
        account_type=case.account.account_type,
    )
