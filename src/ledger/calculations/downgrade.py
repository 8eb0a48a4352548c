"""Downgrade: a smaller configuration is bought for the time left of what a return would give."""

from __future__ import annotations

from ledger.calculations.counted_orders import CountedOrders, counted_orders
from ledger.calculations.figures import RefundFigures
from ledger.calculations.instance_refund import GrossRefund, less_fee, shared
from ledger.calculations.ordinary_return import ordinary_return
from ledger.calculations.ratio_split import ratio_split
from ledger.calculations.return_value import return_value
from ledger.calculations.value_used import discount
from ledger.calculations.working import amount, decimal_text, exact_minor, step
from ledger.state.entities import Instance
from ledger.terms.table import Terms
from ledger.values.instants import Instant, begun_days, format_instant, plus_months, whole_months
from ledger.values.money import Currency, Exact, exact, exact_sum, format_micros, minor_of_micros
from ledger.vocabulary.shapes import (
    Component,
    DurationDiscount,
    Funds,
    RefundRule,
    WorkingStep,
)

MONTH_DAYS = 30
"""A day of a month's price, where the time left is no whole months."""


def downgrade(
    instance: Instance,
    components: tuple[Component, ...],
    discounts: tuple[DurationDiscount, ...],
    *,
    now: Instant,
    valued_at: Instant,
    currency: Currency,
    terms: Terms,
) -> RefundFigures:
    """The refund of making the instance smaller, time and use valued at `valued_at` (the quote).

    Source: the vendor's downgrade page, with the split of seed 000, which goes before it. Return
    first, then buy: what an ordinary return of the running order would give − the price of the new
    configuration for the time left, at least 0, in the ratio paid. What is left of the return's
    worth is what counts as paid from now on. Renewals not started stay as they are.

    By hand: 915.92 paid for 12 months at 102.00, down to 60.00 a month after two of them: 915.92 −
    204.00 − 60.00 × 10 × 0.88 = 183.92; 528.00 is what is paid from now on.
    """
    running = counted_orders(instance, now).running
    assert running is not None
    orders = CountedOrders(running=running, to_come=())
    value = return_value(orders, valued_at, currency, terms)
    worth = max(0, value.given - value.used)
    left_from = max(valued_at, running.starts_at)
    price, price_steps = price_of_the_time_left(
        components, discounts, left_from, running.ends_at, currency, terms.time_zone
    )
    refund = ordinary_return(worth, price)
    left, left_step = _left(ordinary_return(worth, 0), refund, value.paid, currency)
    less = step(
        "downgrade",
        amount(refund, currency),
        ordinary_return=exact_minor(worth, currency),
        new_price=exact_minor(price, currency),
        rounding="half up, at least 0",
    )
    cash, gift, split = shared(refund, value.paid, currency)
    working = (*value.working, *price_steps, less, split, left_step)
    gross = GrossRefund(rule=RefundRule.DOWNGRADE, cash=cash, gift=gift, working=working)
    return less_fee(gross, orders, currency, terms, left=left)


def price_of_the_time_left(
    components: tuple[Component, ...],
    discounts: tuple[DurationDiscount, ...],
    start: Instant,
    end: Instant,
    currency: Currency,
    time_zone: str,
) -> tuple[Exact, tuple[WorkingStep, ...]]:
    """Whole months × list price × discount; else days left × list price / 30, without discount.

    Source: the vendor's downgrade page. Months are calendar months of `time_zone`; a begun day
    counts whole. Exact; the caller rounds.

    By hand: 60.00 a month, 0.88 from six months on: ten months left to the instant 528.00; a
    second less is 306 begun days: 60.00 × 306 / 30 = 612.00.
    """
    months, days = whole_months(start, end, time_zone), begun_days(start, end)
    whole = plus_months(start, months, time_zone) == end
    factor = discount(discounts, months) if whole else 1
    share = months * factor if whole else exact(days, MONTH_DAYS)
    left = {"months": str(months)} if whole else {"days": f"{days} of {MONTH_DAYS}"}
    time_left = step(
        "time_left",
        f"{months} months" if whole else f"{days} days",
        left_from=format_instant(start),
        left_until=format_instant(end),
    )
    prices, steps = list[Exact](), [time_left]
    for component in components:
        price = minor_of_micros(component.list_monthly * share, currency)
        prices.append(price)
        inputs = {"component": component.name, **left, "discount": decimal_text(factor)}
        inputs["list_monthly"] = format_micros(component.list_monthly, currency)
        steps.append(step("component_price", exact_minor(price, currency), **inputs))
    total = exact_sum(prices)
    return total, (*steps, step("new_price", exact_minor(total, currency)))


def _left(
    worth: int, refund: int, paid: tuple[int, int], currency: Currency
) -> tuple[Funds, WorkingStep]:
    """Fund by fund: the share of the whole worth less that of the refund, so that both together
    never come to more than was paid in that fund.
    """
    whole, back = ratio_split(worth, *paid), ratio_split(refund, *paid)
    left = Funds(cash=whole[0] - back[0], gift=whole[1] - back[1])
    working = step(
        "left_as_paid",
        f"cash {amount(left.cash, currency)}, gift {amount(left.gift, currency)}",
        ordinary_return=amount(worth, currency),
        refund=amount(refund, currency),
    )
    return left, working
