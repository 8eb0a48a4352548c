"""Manual refund (人工退款): an agreed amount by ticket, within what is left of what was paid."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.calculations.never_twice import left_of
from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Purchase
from ledger.values.money import format_minor
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import RefundMarketplaceManually


def exceeds_paid(case: Case) -> Iterator[Violation]:
    """0 < amount ≤ paid less what was refunded. Source: seed 001 (人工退款; 只退还实付金额).

    By hand: paid 300.00, refunded 120.00; 180.00 more: accepted; 180.01: `EXCEEDS_PAID`, left =
    180.00.
    """
    if not isinstance(case.command, RefundMarketplaceManually):
        return
    purchase, currency = case.the(Purchase, case.command.purchase_id), case.account.currency
    left = sum(left_of(purchase))
    if 0 < case.command.amount <= left:
        return
    paid = purchase.paid.cash + purchase.paid.gift
    yield violation(
        "manual_refund",
        Code.EXCEEDS_PAID,
        Said(
            "{left} {currency} is left of what was paid; agree on an amount above 0 and at most "
            "that"
        ),
        {"currency": currency},
        amount=format_minor(case.command.amount, currency),
        paid=format_minor(paid, currency),
        refunded=format_minor(paid - left, currency),
        left=format_minor(left, currency),
    )
