"""Instance refund: what goes back of an instance fund by fund, less the fee on promotion orders."""

from __future__ import annotations

from msgspec import Struct

from ledger.calculations.counted_orders import CountedOrders
from ledger.calculations.figures import RefundFigures
from ledger.calculations.promotion_order import promotion_fee
from ledger.calculations.ratio_split import ratio_split
from ledger.calculations.working import amount, decimal_text, step
from ledger.terms.table import Terms
from ledger.values.money import Currency, Minor
from ledger.vocabulary.shapes import Channel, Funds, Parts, RefundRule, WorkingStep


class GrossRefund(Struct, frozen=True, kw_only=True):
    """A refund before any fee, fund by fund."""

    rule: RefundRule
    cash: Minor
    gift: Minor
    working: tuple[WorkingStep, ...]


def less_fee(
    gross: GrossRefund,
    orders: CountedOrders,
    currency: Currency,
    terms: Terms,
    left: Funds | None = None,
) -> RefundFigures:
    """The figures of the refund. The fee on promotion orders is deducted from its cash part.

    By hand: a promotion order of 200.00 cash, a refund of 190.12 cash and 197.68 gift: the fee is
    50.00, and 140.12 cash and 197.68 gift are refunded.
    """
    promoted = [order for order in orders.all if order.channel is Channel.PROMOTION]
    fee, steps = 0, list(gross.working)
    if promoted:
        promotion_cash = sum(order.line.paid.cash for order in promoted)
        fee = promotion_fee(promotion_cash, gross.cash, terms.promotion_fee)
        steps.append(_fee(promotion_cash, gross.cash, fee, currency, terms))
    whole = gross.cash + gross.gift
    result = amount(whole - fee, currency)
    inputs = {"gross": amount(whole, currency), "fee": amount(fee, currency)}
    return RefundFigures(
        rule=gross.rule,
        gross=whole,
        fee=fee,
        amount=whole - fee,
        parts=Parts(cash=gross.cash - fee, gift=gross.gift),
        working=(*steps, step("refund", result, **inputs)),
        left=left,
    )


def shared(
    refund: Minor, paid: tuple[Minor, Minor], currency: Currency
) -> tuple[Minor, Minor, WorkingStep]:
    """A refund divided into cash and gift money in the ratio paid, with the working."""
    cash, gift = ratio_split(refund, *paid)
    working = step(
        "ratio_split",
        f"cash {amount(cash, currency)}, gift {amount(gift, currency)}",
        refund=amount(refund, currency),
        paid_cash=amount(paid[0], currency),
        paid_gift=amount(paid[1], currency),
        rounding="cash half up, gift the remainder",
    )
    return cash, gift, working


def _fee(
    promotion_cash: Minor, refund_cash: Minor, fee: Minor, currency: Currency, terms: Terms
) -> WorkingStep:
    return step(
        "promotion_fee",
        amount(fee, currency),
        promotion_cash=amount(promotion_cash, currency),
        rate=decimal_text(terms.promotion_fee),
        refund_cash=amount(refund_cash, currency),
        rounding="half up, at most the cash part",
    )
