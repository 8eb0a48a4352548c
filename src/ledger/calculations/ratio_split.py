"""Ratio split: a refund is divided into cash and gift money in the ratio paid."""

from __future__ import annotations

from ledger.values.money import Minor, split


def ratio_split(refund: Minor, paid_cash: Minor, paid_gift: Minor) -> tuple[Minor, Minor]:
    """(cash, gift): cash is the half-up share, gift money the remainder.

    Source: seed 000 (按购买支付使用的现金和赠送金支付比例退还). By hand: 387.80 of 200.00 cash and
    207.96 gift: 387.80 × 200.00 / 407.96 = 190.1166… → cash 190.12, gift 197.68. Where nothing was
    paid the refund is 0 and so are both parts.
    """
    cash, gift = split(refund, (paid_cash, paid_gift))
    return cash, gift
