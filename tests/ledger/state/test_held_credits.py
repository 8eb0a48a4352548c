"""Held credits apart: what is left is that of one plain list, and one more rewrites one of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.state import MemoryState
from ledger.state.account_entities import HeldCredit, HeldCredits
from ledger.state.held_credits import (
    added,
    consumed,
    left_of,
    next_number,
    open_credits,
    taken_back,
    total,
)

A = "acct-1"
STEPS = st.lists(
    st.tuples(st.sampled_from(["hold", "consume", "take back"]), st.integers(0, 50)), max_size=60
)


@settings(derandomize=True, deadline=None)
@given(steps=STEPS)
def test_what_is_left_is_that_of_one_plain_list(steps: list[tuple[str, int]]) -> None:
    state, plain = MemoryState(), list[tuple[str, int]]()
    for step, choice in steps:
        still = [place for place, (_, left) in enumerate(plain) if left]
        if step == "hold":
            assert next_number(state, A) == len(plain)
            plain.append((f"k-{len(plain)}", choice + 1))
            state.apply(added(state, A, [_credit(*plain[-1])]))
        elif step == "consume" and still:
            name, left = plain[still[0]]
            amount = min(left, choice + 1)
            plain[still[0]] = (name, left - amount)
            state.apply(consumed(state, A, name, amount))
        elif step == "take back" and plain:
            place = choice % len(plain)
            plain[place] = (plain[place][0], 0)
            state.apply(taken_back(state, A, place))
        left_over = [(name, left) for name, left in plain if left]
        assert [(one.credit_id, one.left) for one in open_credits(state, A)] == left_over
        assert total(state, A) == sum(left for _, left in left_over)


def test_one_more_rewrites_only_itself_and_the_sum() -> None:
    state = MemoryState()
    state.apply(added(state, A, [_credit(f"k-{number}", 5) for number in range(1_000)]))
    kinds = [type(entity) for _, entity in added(state, A, [_credit("k-new", 5)])]
    assert kinds == [HeldCredits, HeldCredit]
    kinds = [type(entity) for _, entity in consumed(state, A, "k-0", 5)]
    assert kinds == [HeldCredit, HeldCredits]


def test_what_was_taken_back_is_not_looked_at_again_once_it_is_the_oldest() -> None:
    state = MemoryState()
    state.apply(added(state, A, [_credit(f"k-{number}", 5) for number in range(4)]))
    for number in (1, 2, 0):
        state.apply(taken_back(state, A, number))
        assert left_of(state, A, number) == 0
    held = state.find(HeldCredits, A, "")
    assert held == HeldCredits(first=3, count=4, left=5)


def test_no_credits_change_nothing() -> None:
    assert added(MemoryState(), A, []) == []


def _credit(name: str, left: int) -> HeldCredit:
    return HeldCredit(credit_id=name, refund_id=None, left=left)
