"""Prepaid return: the figures of giving back a prepaid instance, whichever rule applies."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from ledger.calculations.figures import RefundFigures
from ledger.calculations.five_days_no_reason import within_five_days
from ledger.calculations.ordinary_return import ordinary_return
from ledger.calculations.promotion_order import promotion_fee
from ledger.calculations.ratio_split import ratio_split
from ledger.calculations.value_used import value_used
from ledger.calculations.working import amount, decimal_text, exact_minor, step
from ledger.state.entities import Instance, InstanceOrder
from ledger.terms.table import Terms
from ledger.values.instants import Instant, format_instant
from ledger.values.money import Currency, Minor
from ledger.vocabulary.shapes import Channel, OrderKind, Parts, RefundRule, WorkingStep


class CountedOrders(Struct, frozen=True, kw_only=True):
    """The orders a return gives back: the running one, and those not yet started."""

    running: InstanceOrder | None
    to_come: tuple[InstanceOrder, ...]

    @property
    def all(self) -> tuple[InstanceOrder, ...]:
        """The running order first."""
        return ((self.running,) if self.running else ()) + self.to_come


def counted_orders(instance: Instance, now: Instant) -> CountedOrders:
    """The live orders that have not ended: the latest that has started, and the later ones.

    A NEW order counts as running before its start too: its instance may have been delivered, and
    nothing ran before it.
    """
    live = [order for order in instance.orders if now < order.ends_at]
    begun = [order for order in live if order.kind is OrderKind.NEW or order.starts_at <= now]
    to_come = tuple(order for order in live if order not in begun)
    return CountedOrders(running=begun[-1] if begun else None, to_come=to_come)


def prepaid_return(
    instance: Instance,
    *,
    now: Instant,
    valued_at: Instant,
    full_quota_free: bool,
    currency: Currency,
    terms: Terms,
) -> RefundFigures:
    """The refund of returning the instance at `now`, its use valued at `valued_at` (the quote).

    Source: seed 000. Inside five days of a new order, with the full quota free, all that was paid
    goes back fund by fund; else paid − value used, in the ratio paid. The fee on promotion orders
    comes off the cash part of either.

    By hand: paid 200.00 cash + 207.96 gift (voucher 100 does not count), five days: 200.00 and
    207.96; quota used and 48 h at 0.42: 387.80 = 190.12 cash + 197.68 gift.
    """
    orders = counted_orders(instance, now)
    cash = sum(order.line.paid.cash for order in orders.all)
    gift = sum(order.line.paid.gift for order in orders.all)
    steps = [_paid(order, currency) for order in orders.all]
    if full_quota_free and within_five_days(orders.running, now, terms.five_days_hours):
        rule, refund_cash, refund_gift = RefundRule.FIVE_DAYS_NO_REASON, cash, gift
        steps.append(_five_days(orders.running, now, amount(cash + gift, currency), terms))
    else:
        rule = RefundRule.ORDINARY_RETURN
        refund, working = _ordinary(orders, cash + gift, valued_at, currency, terms)
        refund_cash, refund_gift = ratio_split(refund, cash, gift)
        steps += [*working, _split(refund, (cash, gift), (refund_cash, refund_gift), currency)]
    fee = _fee(orders, refund_cash, terms)
    if any(order.channel is Channel.PROMOTION for order in orders.all):
        steps.append(_fee_step(orders, refund_cash, fee, currency, terms))
    gross = refund_cash + refund_gift
    parts = Parts(cash=refund_cash - fee, gift=refund_gift)
    steps.append(
        step(
            "refund",
            amount(gross - fee, currency),
            gross=amount(gross, currency),
            fee=amount(fee, currency),
        )
    )
    return RefundFigures(
        rule=rule, gross=gross, fee=fee, amount=gross - fee, parts=parts, working=tuple(steps)
    )


def _five_days(
    running: InstanceOrder | None, now: Instant, whole: str, terms: Terms
) -> WorkingStep:
    assert running is not None
    return step(
        "five_days_no_reason",
        whole,
        order=running.order_id,
        delivered_at=format_instant(running.delivered_at),
        returned_at=format_instant(now),
        within=f"{terms.five_days_hours} hours",
    )


def _ordinary(
    orders: CountedOrders, paid: Minor, valued_at: Instant, currency: Currency, terms: Terms
) -> tuple[Minor, list[WorkingStep]]:
    used, working = Fraction(0), []
    if orders.running is not None:
        value = value_used(orders.running, valued_at, currency, terms.time_zone)
        used, working = value.exact, list(value.working)
    refund = ordinary_return(paid, used)
    inputs = {"paid": amount(paid, currency), "used": exact_minor(used, currency)}
    inputs["rounding"] = "half up, at least 0"
    return refund, [*working, step("ordinary_return", amount(refund, currency), **inputs)]


def _fee(orders: CountedOrders, refund_cash: Minor, terms: Terms) -> Minor:
    return promotion_fee(_promotion_cash(orders), refund_cash, terms.promotion_fee)


def _promotion_cash(orders: CountedOrders) -> Minor:
    promoted = (order for order in orders.all if order.channel is Channel.PROMOTION)
    return sum(order.line.paid.cash for order in promoted)


def _paid(order: InstanceOrder, currency: Currency) -> WorkingStep:
    paid = order.line.paid
    return step(
        "paid",
        amount(paid.cash + paid.gift, currency),
        order=order.order_id,
        cash=amount(paid.cash, currency),
        gift=amount(paid.gift, currency),
        voucher_not_returned=amount(paid.voucher, currency),
    )


def _split(
    refund: Minor, paid: tuple[Minor, Minor], parts: tuple[Minor, Minor], currency: Currency
) -> WorkingStep:
    return step(
        "ratio_split",
        f"cash {amount(parts[0], currency)}, gift {amount(parts[1], currency)}",
        refund=amount(refund, currency),
        paid_cash=amount(paid[0], currency),
        paid_gift=amount(paid[1], currency),
        rounding="cash half up, gift the remainder",
    )


def _fee_step(
    orders: CountedOrders, refund_cash: Minor, fee: Minor, currency: Currency, terms: Terms
) -> WorkingStep:
    return step(
        "promotion_fee",
        amount(fee, currency),
        promotion_cash=amount(_promotion_cash(orders), currency),
        rate=decimal_text(terms.promotion_fee),
        refund_cash=amount(refund_cash, currency),
        rounding="half up, at most the cash part",
    )
