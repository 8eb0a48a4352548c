"""Paid only (只退还实付金额): a marketplace refund by self-service is the complete amount paid."""

from __future__ import annotations

from ledger.calculations.figures import RefundFigures
from ledger.calculations.never_twice import left_of
from ledger.calculations.working import amount, step
from ledger.state.entities import Purchase
from ledger.values.money import Currency
from ledger.vocabulary.shapes import Parts, RefundRule


def paid_only(purchase: Purchase, currency: Currency) -> RefundFigures:
    """The amount paid and not yet refunded, fund by fund; coupons (优惠券) are not refunded.

    Source: seed 001 (退款只退还实付金额，已使用的优惠券不退还). By hand: 200.00 cash, 100.00 gift
    and a coupon of 50.00 → cash 200.00, gift 100.00, together 300.00.
    """
    paid = purchase.paid
    cash, gift = left_of(purchase)
    working = (
        step(
            "paid",
            amount(paid.cash + paid.gift, currency),
            cash=amount(paid.cash, currency),
            gift=amount(paid.gift, currency),
            voucher_not_returned=amount(paid.voucher, currency),
        ),
        step(
            "refund",
            amount(cash + gift, currency),
            refunded_before=amount(purchase.refunded_cash + purchase.refunded_gift, currency),
            cash=amount(cash, currency),
            gift=amount(gift, currency),
        ),
    )
    return RefundFigures(
        rule=RefundRule.MARKETPLACE_REVIEW,
        gross=cash + gift,
        fee=0,
        amount=cash + gift,
        parts=Parts(cash=cash, gift=gift),
        working=working,
    )
