"""However a reservation is given back in parts: each part is its share, or else what is left."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.values.instants import DAY
from ledger.vocabulary.shapes import BillingPlan
from tests.ledger.rules.reservations.stories import bought, by_support, holding, the_refund

DAYS = 365
TOTAL = st.integers(1, 12) | st.integers(1, 10**6)
WAIT = st.sampled_from([0, 0, 0, 1, 40])
PARTS = st.lists(st.tuples(st.integers(1, 3), WAIT), min_size=2, max_size=6)


def half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


@settings(derandomize=True, deadline=None)
@given(total=TOTAL, parts=PARTS)
def test_parts_that_round_up_stop_at_what_was_paid(
    total: int, parts: list[tuple[int, int]]
) -> None:
    """Paid upfront for 365 days; so many given back after so many days, until all are."""
    bought_in_all = sum(quantity for quantity, _ in parts)
    s = holding(bought(total, quantity=bought_in_all, plan=BillingPlan.UPFRONT))
    refunded, day = 0, 0
    for quantity, wait in parts:
        day += wait
        amount = the_refund(by_support(s.later(wait * DAY), quantity=quantity)).amount
        share = half_up(total * quantity * (DAYS - day), bought_in_all * DAYS)
        assert amount == min(share, total - refunded)
        refunded += amount
    assert refunded <= total
