"""Ordinary return: the amount paid less the value used, at least 0."""

from __future__ import annotations

from ledger.values.money import Exact, Minor, round_half_up


def ordinary_return(paid: Exact, used: Exact) -> Minor:
    """Paid − used, rounded half up, at least 0. The only rounding of an ordinary return.

    Source: seed 000 (普通自助退还). By hand: paid 407.96, used 20.16 → 387.80; paid 10.00,
    used 12.50 → 0.00.
    """
    return max(0, round_half_up(paid - used))
