"""Termination fee: reserved by the provider, at a rate of the terms, which is 0 today."""

from __future__ import annotations

from fractions import Fraction

from ledger.values.money import Minor, round_half_up


def termination_fee(prorated: Minor, rate: Fraction) -> Minor:
    """Half-up `rate` of the prorated refund; never asked of an exchange.

    Source: seed 003 (保留权收取的任何返回时，对 12%产生负面影响, 当前不计费). By hand: 50.00 at the
    rate of 0 → 0.00; at 12 % it would be 6.00.
    """
    return round_half_up(prorated * rate)
