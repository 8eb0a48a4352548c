"""Promotion order: the fee on the refund of an order through the promotion channel."""

from __future__ import annotations

from fractions import Fraction

from ledger.values.money import Minor, round_half_up


def promotion_fee(promotion_cash: Minor, refund_cash: Minor, rate: Fraction) -> Minor:
    """Half-up `rate` of the cash paid for promotion orders, at most the refund's cash part.

    Source: seed 000 (收取订单实际现金支付金额的25%作为退款手续费). By hand: 200.00 cash paid, 25 %
    → fee 50.00; if the refund's cash part is only 30.00, the fee is 30.00.
    """
    return min(round_half_up(promotion_cash * rate), refund_cash)
