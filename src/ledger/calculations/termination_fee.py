"""Termination fee: a fee that the provider may charge, at a rate of the terms, which is 0 now."""

from __future__ import annotations

from fractions import Fraction

from ledger.values.money import Minor, round_half_up


def termination_fee(prorated: Minor, rate: Fraction) -> Minor:
    """`rate` of the prorated refund, rounded half up; never for an exchange.

    Source: seed 003 (保留权收取的任何返回时，对 12%产生负面影响, 当前不计费). By hand: 50.00 at the
    rate of 0 → 0.00; at 12 % it would be 6.00.
    """
    return round_half_up(prorated * rate)
