"""Remaining commitment: the later cost of a reservation if it were not returned."""

from __future__ import annotations

from fractions import Fraction

from ledger.state.entities import Reservation
from ledger.values.money import Minor, round_half_up
from ledger.vocabulary.shapes import BillingPlan


def later_instalments(reservation: Reservation, number: int, quantity: int) -> Minor:
    """All instalments after the `number`-th, for the quantity given back; none of an upfront one.

    Source: seed 003 (新的购买总应等于或大于返回量). By hand: three years at 100.00 a month,
    cancelled in the 13th month with 15 of 30 days left: prorated 50.00, and 23 × 100.00 later:
    remaining commitment 2,350.00.
    """
    if reservation.billing_plan is BillingPlan.UPFRONT:
        return 0
    months, total = reservation.term_months, reservation.total
    later = total - round_half_up(Fraction(total * number, months))
    return round_half_up(Fraction(later * quantity, reservation.original_quantity))
