"""Value used: the price of an instance's use so far, at the prices of its order."""

from __future__ import annotations

from msgspec import Struct

from ledger.calculations.working import decimal_text, exact_minor, step
from ledger.state.entities import InstanceOrder
from ledger.values.instants import HOUR, SECOND, Instant, format_instant, plus_months, whole_months
from ledger.values.money import (
    Currency,
    Exact,
    exact,
    exact_sum,
    format_micros,
    minor_of_micros,
    parse_decimal12,
)
from ledger.vocabulary.shapes import Component, DurationDiscount, LadderStep, OrderKind, WorkingStep


class ValueUsed(Struct, frozen=True, kw_only=True):
    """The exact value in minor units, not rounded, and its working."""

    exact: Exact
    working: tuple[WorkingStep, ...]


def value_used(
    order: InstanceOrder, until: Instant, currency: Currency, time_zone: str
) -> ValueUsed:
    """Whole months × list price × discount, and the rest at the pay-as-you-go ladder.

    Source: seed 000 (退费说明). Counted from delivery (a renewal: from its start), or from the last
    downgrade. Whole months are
    calendar months of `time_zone`; the discount is the one that so many months would have earned.
    The rest is counted to the second, each hour at its own step's price, from hour 0.

    By hand: 51.00 a month, 0.42 an hour, delivered 48 hours ago: no whole month; 48 × 0.42 = 20.16.
    Exact; the caller rounds.
    """
    start = max(use_begins(order), order.downgraded_at or use_begins(order))
    months = whole_months(start, until, time_zone)
    rest_from = plus_months(start, months, time_zone)
    seconds = max(0, until - rest_from) // SECOND
    factor = discount(order.line.duration_discounts, months)
    steps = [_period(order, start, until, months, seconds)]
    values = []
    for component in order.line.components:
        monthly = component.list_monthly * months * factor
        micros = exact_sum((monthly, ladder(component.payg, seconds)))
        values.append(minor_of_micros(micros, currency))
        steps.append(_component(component, months, factor, seconds, values[-1], currency))
    total = exact_sum(values)
    steps.append(step("value_used", exact_minor(total, currency), order=order.order_id))
    return ValueUsed(exact=total, working=tuple(steps))


def use_begins(order: InstanceOrder) -> Instant:
    """The start of its use: a renewal's start, or any other order's delivery."""
    return order.starts_at if order.kind is OrderKind.RENEWAL else order.delivered_at


def discount(discounts: tuple[DurationDiscount, ...], months: int) -> Exact:
    """The factor of the largest `from_months` that is at most the months used, else 1."""
    earned = [entry for entry in discounts if entry.from_months <= months]
    if not earned:
        return 1
    return parse_decimal12(max(earned, key=lambda entry: entry.from_months).factor)


def ladder(steps: tuple[LadderStep, ...], seconds: int) -> Exact:
    """The price in micros of so many seconds: each hour at the price of the step it falls in.

    Steps 0 h at 0.50, 10 h at 0.40; 12 h → 10 × 0.50 + 2 × 0.40 = 5.80.
    """
    total = 0
    ends = [entry.from_hours * 3600 for entry in steps[1:]] + [seconds]
    for entry, end in zip(steps, ends, strict=True):
        inside = max(0, min(seconds, end) - entry.from_hours * 3600)
        total += entry.hourly * inside
    return exact(total, HOUR // SECOND)


def _period(
    order: InstanceOrder, start: Instant, until: Instant, months: int, seconds: int
) -> WorkingStep:
    return step(
        "time_used",
        f"{months} months and {seconds} seconds",
        order=order.order_id,
        used_from=format_instant(start),
        used_until=format_instant(until),
    )


def _component(
    component: Component,
    months: int,
    factor: Exact,
    seconds: int,
    value: Exact,
    currency: Currency,
) -> WorkingStep:
    rungs = ", ".join(
        f"{rung.from_hours} h: {format_micros(rung.hourly, currency)}" for rung in component.payg
    )
    return step(
        "component_used",
        exact_minor(value, currency),
        component=component.name,
        months=str(months),
        list_monthly=format_micros(component.list_monthly, currency),
        discount=decimal_text(factor),
        seconds=str(seconds),
        pay_as_you_go=rungs,
    )
