"""Prorated value: the value of the remaining days of a payment, by whole days in UTC."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from ledger.state.entities import Reservation
from ledger.values.instants import Day, add_months
from ledger.values.money import Minor, instalment, round_half_up
from ledger.vocabulary.events import ReservationPurchased
from ledger.vocabulary.shapes import BillingPlan


class Period(Struct, frozen=True, kw_only=True):
    """The period of one payment: the whole term, or one instalment's month. `ends_on` exclusive."""

    number: int
    paid: Minor
    starts_on: Day
    ends_on: Day

    @property
    def days(self) -> int:
        """The actual days of the period: 365, 366, 1095 or 1096, or a month's."""
        return self.ends_on - self.starts_on

    def remaining(self, today: Day) -> int:
        """The days from the return day on, with that day; all days before the start."""
        return min(self.days, max(0, self.ends_on - today))


def current_period(reservation: Reservation | ReservationPurchased, today: Day) -> Period:
    """The payment that is running: the first before the start, the whole of an upfront one.

    Source: seed 003 (每天按比例分摊). By hand: monthly from 31 Jan; on 1 Mar the second instalment
    runs, from 28 Feb (clipped to the month's end) to 31 Mar exclusive.
    """
    if reservation.billing_plan is BillingPlan.UPFRONT:
        return Period(
            number=1,
            paid=reservation.total,
            starts_on=reservation.starts_on,
            ends_on=reservation.ends_on,
        )
    months, start = reservation.term_months, reservation.starts_on
    begun = sum(add_months(start, later) <= today for later in range(1, months))
    return Period(
        number=begun + 1,
        paid=instalment(reservation.total, begun + 1, months),
        starts_on=add_months(start, begun),
        ends_on=add_months(start, begun + 1),
    )


def prorated_value(period: Period, quantity: int, original_quantity: int, today: Day) -> Minor:
    """Half-up of paid × quantity / original quantity × remaining days / days, rounded once.

    Source: seed 003. By hand: 2.66 for a month of 31 days, 21 left: 2.66 × 21 / 31 = 1.8019… →
    1.80. Bought 10 Jul 2024 for a year, returned 9 Jul 2025: 1 of 365 days remains. 2 of 3 given
    back of 100.00 on the first day: 66.67, the third 33.33.
    """
    numerator = period.paid * quantity * period.remaining(today)
    return round_half_up(Fraction(numerator, original_quantity * period.days))
