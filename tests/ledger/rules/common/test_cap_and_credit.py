"""The cap's room and the held credit as functions, where a story does not reach their edges."""

from __future__ import annotations

import pytest

from ledger.calculations.figures import CapRoom
from ledger.calculations.refund_cap import cap_room
from ledger.calculations.settle_by_invoice import Consumption, consumed
from ledger.state import MemoryState
from ledger.state.account_entities import CapEntry, HeldCredit
from ledger.state.cap_uses import counted
from ledger.terms.table import CapBasis, released_terms
from ledger.values.instants import DAY, HOUR, parse_instant
from tests.scenario import with_terms

START = parse_instant("2026-01-15T08:00:00Z")


@pytest.mark.parametrize("basis", list(CapBasis))
def test_what_counts_nothing_in_the_reading_in_force_releases_nothing(basis: CapBasis) -> None:
    terms = with_terms(released_terms(), cap_usd=10_000, cap_basis=basis).at(START)
    amounts = [(0, 500), (300, 0)]
    if basis is CapBasis.COMMITMENT:
        amounts = [(500, 0), (0, 300)]
    entries = [
        CapEntry(
            refund_id=f"r-{number}",
            counted_at=START + number * HOUR,
            refund_usd=refund,
            cancelled_commitment_usd=commitment,
        )
        for number, (refund, commitment) in enumerate(amounts)
    ]
    state = MemoryState()
    state.apply(counted(state, "acct-1", entries))
    assert cap_room(state, "acct-1", START + DAY, terms) == CapRoom(
        consumed=300,
        limit=10_000,
        left=9_700,
        next_release_at=START + HOUR + terms.cap_window_days * DAY,
        next_release=300,
    )


@pytest.mark.parametrize("free", [1, 2])
def test_a_purchase_of_nothing_takes_no_credit_from_the_next(free: int) -> None:
    credits = [HeldCredit(credit_id="k-1", refund_id="f-1", left=3_000)]
    purchases = [*((f"free-{number}", 0) for number in range(free)), ("r-1", 3_000)]
    assert consumed(credits, 3_000, purchases, 3_000) == (
        Consumption(credit_id="k-1", reservation_id="r-1", amount=3_000),
    )
