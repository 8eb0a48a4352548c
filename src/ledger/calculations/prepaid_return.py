"""Prepaid return: the figures of a prepaid instance's return, by the rule that applies."""

from __future__ import annotations

from ledger.calculations.counted_orders import CountedOrders, counted_orders, paid_for
from ledger.calculations.figures import RefundFigures
from ledger.calculations.five_days_no_reason import within_five_days
from ledger.calculations.instance_refund import GrossRefund, less_fee, shared
from ledger.calculations.ordinary_return import ordinary_return
from ledger.calculations.return_value import return_value, upgrades_left
from ledger.calculations.working import amount, exact_minor, step
from ledger.state.entities import Instance
from ledger.terms.table import Terms
from ledger.values.instants import Instant, format_instant
from ledger.values.money import Currency, round_half_up
from ledger.vocabulary.shapes import RefundRule, WorkingStep


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

    Source: seed 000. Within five days of a new order, with a full refund left, the amount paid is
    refunded fund by fund; otherwise paid − value used, in the ratio paid. In both cases the fee on
    promotion orders is deducted from the cash part.

    By hand: paid 200.00 cash + 207.96 gift (voucher 100 does not count), five days: 200.00 and
    207.96; quota used and 48 h at 0.42: 387.80 = 190.12 cash + 197.68 gift.
    """
    orders = counted_orders(instance, now)
    if full_quota_free and within_five_days(orders.running, now, terms.five_days_hours):
        gross = _full(orders, now, valued_at, currency, terms)
    else:
        gross = _ordinary(orders, valued_at, currency, terms)
    return less_fee(gross, orders, currency, terms)


def _full(
    orders: CountedOrders, now: Instant, valued_at: Instant, currency: Currency, terms: Terms
) -> GrossRefund:
    """All that was paid for the orders, fund by fund; beside it what is left of their upgrades, in
    the ratio in which those were paid.

    By hand: an order of 407.96 for 365 days, upgraded for 100.00 and returned after 72 h: 407.96 +
    half up of 99.178… = 507.14.
    """
    steps = [paid_for(order, currency) for order in orders.all]
    steps.append(_five_days(orders, now, currency, terms))
    cash, gift = orders.cash, orders.gift
    upgrades = upgrades_left(orders, valued_at, currency)
    if upgrades.working:
        paid = (upgrades.cash, upgrades.gift)
        more_cash, more_gift, split = shared(round_half_up(upgrades.exact), paid, currency)
        cash, gift = cash + more_cash, gift + more_gift
        steps += [*upgrades.working, split]
    return GrossRefund(
        rule=RefundRule.FIVE_DAYS_NO_REASON, cash=cash, gift=gift, working=tuple(steps)
    )


def _five_days(
    orders: CountedOrders, now: Instant, currency: Currency, terms: Terms
) -> WorkingStep:
    running = orders.running
    assert running is not None
    return step(
        "five_days_no_reason",
        amount(orders.cash + orders.gift, currency),
        order=running.order_id,
        delivered_at=format_instant(running.delivered_at),
        returned_at=format_instant(now),
        within=f"{terms.five_days_hours} hours",
    )


def _ordinary(
    orders: CountedOrders, valued_at: Instant, currency: Currency, terms: Terms
) -> GrossRefund:
    value = return_value(orders, valued_at, currency, terms)
    refund = ordinary_return(value.given, value.used)
    upgrades = {"upgrades_left": exact_minor(value.upgrades.exact, currency)}
    ordinary = step(
        "ordinary_return",
        amount(refund, currency),
        paid=amount(orders.cash + orders.gift, currency),
        **(upgrades if value.upgrades.working else {}),
        used=exact_minor(value.used, currency),
        rounding="half up, at least 0",
    )
    cash, gift, split = shared(refund, value.paid, currency)
    return GrossRefund(
        rule=RefundRule.ORDINARY_RETURN,
        cash=cash,
        gift=gift,
        working=(*value.working, ordinary, split),
    )
