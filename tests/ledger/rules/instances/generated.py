"""Generated lines of orders, and what must hold of any event with money in it."""

from __future__ import annotations

from collections import Counter

from hypothesis import strategies as st

from ledger.values.instants import DAY, HOUR, MINUTE
from ledger.vocabulary.events import RefundIssued
from ledger.vocabulary.shapes import (
    Component,
    DurationDiscount,
    Funds,
    LadderStep,
    OrderLine,
    Posting,
    Role,
    Side,
)

PICK = st.integers(0, 30)
"""Which of the instances or orders there are; 0 for one that is not there, or not new."""
ROLES = st.sampled_from([Role.OWNER, Role.OWNER, Role.OWNER, Role.SUPPORT])
AMOUNT = st.one_of(st.just(0), st.integers(1, 500), st.integers(1, 10**7))
WAIT = st.one_of(
    st.integers(0, 20 * MINUTE),
    st.integers(0, 10 * DAY),
    st.sampled_from([0, 1, 2 * HOUR, 120 * HOUR, 120 * HOUR + 1, 168 * HOUR, 168 * HOUR + 1]),
)


COMPONENTS = st.builds(
    Component,
    name=st.just("compute"),
    list_monthly=st.integers(0, 10**8),
    payg=st.builds(
        lambda first, more: (
            LadderStep(from_hours=0, hourly=first),
            *(LadderStep(from_hours=10 * (n + 1), hourly=price) for n, price in enumerate(more)),
        ),
        st.integers(0, 10**6),
        st.lists(st.integers(0, 10**6), max_size=2),
    ),
)
LINES = st.builds(
    OrderLine,
    instance_id=st.just(""),
    product=st.just("cvm"),
    region=st.just("gz"),
    paid=st.builds(Funds, cash=AMOUNT, gift=AMOUNT, voucher=AMOUNT),
    components=st.lists(COMPONENTS, min_size=1, max_size=2).map(tuple),
    duration_discounts=st.sampled_from(
        [
            (),
            (DurationDiscount(from_months=1, factor="0.9"),),
            (
                DurationDiscount(from_months=2, factor="0.123456789012"),
                DurationDiscount(from_months=6, factor="0.5"),
            ),
        ]
    ),
)
SOME_LINES = st.lists(LINES, min_size=1, max_size=3)


def balanced(postings: tuple[Posting, ...]) -> bool:
    """Debits are credits in every transaction, and no line is nothing."""
    sums: Counter[int] = Counter()
    for line in postings:
        assert line.amount > 0
        sums[line.transaction] += line.amount if line.side is Side.DEBIT else -line.amount
    return not any(sums.values())


def adds_up(refund: RefundIssued) -> None:
    """Gross less fee is the amount, the parts sum to it, and nothing is negative."""
    cash, gift = refund.parts.cash, refund.parts.gift
    assert cash is not None
    assert gift is not None
    assert min(refund.gross, refund.fee, refund.amount, cash, gift) >= 0
    assert refund.gross - refund.fee == refund.amount == cash + gift
