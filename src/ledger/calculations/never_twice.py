"""Never twice: the rest of a payment after earlier refunds."""

from __future__ import annotations

from ledger.state.entities import Purchase
from ledger.values.money import Minor


def at_most_left(refund: Minor, paid: Minor, refunded: Minor) -> Minor:
    """The refund, but at most the payment less the earlier refunds.

    Source: decided for this ledger, as seeds 000, 001 and 003 return only what was paid. By hand:
    30/31 × 249.95 = 241.89, but 10.00 of the 249.95 was refunded before: 239.95.
    """
    return max(0, min(refund, paid - refunded))


def left_of(purchase: Purchase) -> tuple[Minor, Minor]:
    """(cash, gift) of a marketplace purchase that can still be refunded; vouchers never are.

    By hand: paid 200.00 cash, 100.00 gift, voucher 50.00; refunded 80.00 and 40.00 → 120.00, 60.00.
    """
    paid = purchase.paid
    return paid.cash - purchase.refunded_cash, paid.gift - purchase.refunded_gift
