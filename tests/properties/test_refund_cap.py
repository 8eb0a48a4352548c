"""However refunds fall: one is made if it fits beside those of the last 365 days."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.values.instants import DAY, Instant
from ledger.vocabulary.events import CommandRefused
from tests.ledger.rules.reservations.stories import bought, by_support, holding

LIMIT, YEAR = 5_000_000, 365 * DAY
AMOUNT = st.sampled_from([1, 2_500_000, LIMIT - 1, LIMIT, LIMIT + 1]) | st.integers(1, LIMIT)
WAIT = st.sampled_from([0, 1, DAY, 100 * DAY, YEAR - DAY, YEAR - 1, YEAR, YEAR + 1, YEAR + DAY])


@settings(derandomize=True, deadline=None)
@given(steps=st.lists(st.tuples(AMOUNT, WAIT), min_size=1, max_size=6))
def test_a_refund_is_made_if_it_fits_and_refused_whole_if_not(
    steps: list[tuple[int, Instant]],
) -> None:
    """Nothing has begun yet, so that all that was paid remains and is the refund."""
    s = holding(
        *(
            bought(amount, f"r-{number}", starts_on="2099-01-01")
            for number, (amount, _) in enumerate(steps)
        )
    )
    made: list[tuple[Instant, int]] = []
    for number, (amount, wait) in enumerate(steps):
        by_support(s.later(wait), f"r-{number}")
        counting = sum(one for at, one in made if s.now - at < YEAR)
        if counting + amount <= LIMIT:
            made.append((s.now, amount))
        assert isinstance(s.outcome[0], CommandRefused) is (counting + amount > LIMIT)
