"""Partial quantity: the figures of a return of a part or all of a reservation."""

from __future__ import annotations

from fractions import Fraction

from ledger.calculations.figures import ReturnFigures
from ledger.calculations.never_twice import at_most_left
from ledger.calculations.prorated_value import Period, current_period, prorated_value
from ledger.calculations.remaining_commitment import later_instalments
from ledger.calculations.working import amount, step
from ledger.state.entities import InstalmentReturns, Reservation
from ledger.terms.table import PartialRounding
from ledger.values.instants import Day, format_day
from ledger.values.money import Currency, Minor, round_half_up
from ledger.vocabulary.shapes import BillingPlan, WorkingStep

_CUMULATIVE = PartialRounding.CUMULATIVE


def reservation_return(
    reservation_id: str,
    reservation: Reservation,
    quantity: int | None,
    *,
    today: Day,
    currency: Currency,
    rounding: PartialRounding,
) -> ReturnFigures:
    """What giving back so many (all that are held where None) is worth on that day.

    Source: seed 003. Every part is priced from the original total and quantity and rounded once;
    what is above the quantity held is not priced. Parts that each round up never add up to more
    than was paid for the period.

    By hand: 0.01 for a quantity of 2, one given back at a time on the first day: half up of 0.005
    is 0.01, then at most 0.00 is left.

    Rounded together (`CUMULATIVE`), a part is worth what all parts given back in this period come
    to with it, less what they come to without it. By hand: 100.00 for 3, one at a time on the first
    day: 33.33, then 66.67 − 33.33 = 33.34, then 100.00 − 66.67 = 33.33.
    """
    asked = reservation.quantity if quantity is None else quantity
    priced = min(asked, reservation.quantity)
    period = current_period(reservation, today)
    before = _given_back_before(reservation, period) if rounding is _CUMULATIVE else 0
    prorated = prorated_value(period, before + priced, reservation.original_quantity, today)
    prorated -= prorated_value(period, before, reservation.original_quantity, today)
    paid, refunded = _paid_and_refunded(reservation, period)
    value = at_most_left(prorated, paid, refunded)
    later = later_instalments(reservation, period.number, priced)
    working = [
        _days(reservation_id, reservation, period, today),
        _prorated(reservation, period, priced, prorated, today, currency, before),
    ]
    if value < prorated:
        inputs = {"paid": amount(paid, currency), "refunded_before": amount(refunded, currency)}
        working.append(step("never_twice", amount(value, currency), **inputs))
    working.append(_commitment(value, later, currency))
    return ReturnFigures(
        reservation_id=reservation_id,
        quantity=asked,
        instalment=period.number,
        value=value,
        later_instalments=later,
        working=tuple(working),
    )


def _paid_and_refunded(reservation: Reservation, period: Period) -> tuple[Minor, Minor]:
    """What the period cost for the quantity held when it began, and what went back of it."""
    returns = reservation.returns
    if returns is None or returns.number != period.number:
        returns = InstalmentReturns(number=period.number, quantity=0, refunded=0)
    held = reservation.quantity + returns.quantity
    share = Fraction(period.paid * held, reservation.original_quantity)
    return round_half_up(share), returns.refunded


def _given_back_before(reservation: Reservation, period: Period) -> int:
    """How many went back in this period of payment before."""
    returns = reservation.returns
    return 0 if returns is None or returns.number != period.number else returns.quantity


def _days(reservation_id: str, reservation: Reservation, period: Period, today: Day) -> WorkingStep:
    inputs = {
        "reservation": reservation_id,
        "return_day": format_day(today),
        "period_starts_on": format_day(period.starts_on),
        "period_ends_on": format_day(period.ends_on),
    }
    if reservation.billing_plan is BillingPlan.MONTHLY:
        inputs["instalment"] = f"{period.number} of {reservation.term_months}"
    return step("days_remaining", f"{period.remaining(today)} of {period.days} days", **inputs)


def _prorated(
    reservation: Reservation,
    period: Period,
    quantity: int,
    value: Minor,
    today: Day,
    currency: Currency,
    before: int,
) -> WorkingStep:
    together = {"given_back_before": str(before)} if before else {}
    rounding = "half up, with those before, less those before" if before else "half up, once"
    return step(
        "prorated_value",
        amount(value, currency),
        paid=amount(period.paid, currency),
        quantity=str(quantity),
        original_quantity=str(reservation.original_quantity),
        remaining_days=str(period.remaining(today)),
        days=str(period.days),
        **together,
        rounding=rounding,
    )


def _commitment(value: Minor, later: Minor, currency: Currency) -> WorkingStep:
    return step(
        "remaining_commitment",
        amount(value + later, currency),
        value=amount(value, currency),
        later_instalments=amount(later, currency),
    )
