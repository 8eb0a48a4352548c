"""Partial quantity: every part from the originals, rounded once, never more than is held."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calculations.never_twice import at_most_left
from ledger.postings import refund_issued
from ledger.state.entities import ReservationStatus
from ledger.terms.table import released_terms
from ledger.values.instants import DAY
from ledger.values.money import round_half_up
from ledger.values.refusal import Code
from ledger.vocabulary.events import RefundIssued, ReservationCancelled
from ledger.vocabulary.shapes import CapUse, Parts, RefundRule, RefundSource, Role, SourceKind
from tests.ledger.rules.reservations.stories import (
    MONTHLY,
    act,
    back,
    bought,
    by_support,
    exchange,
    holding,
    names,
    new,
    quote,
    quoted,
    refund_entity,
    the_refund,
    the_reservation,
)
from tests.scenario import Scenario, with_terms

NO_CAP = with_terms(released_terms(), cap_usd=10**9)


def test_some_of_it_is_given_back_to_the_original_payment() -> None:
    s = holding(bought(10_000, quantity=3)).when(quote(quantity=2))
    working = quoted(s).working
    s.when(act(quantity=2), role=Role.SUPPORT).then(
        ReservationCancelled(reservation_id="r-1", quantity=2, quantity_left=1, instalment=1),
        RefundIssued(
            refund_id=s.derived("refund"),
            source=RefundSource(kind=SourceKind.RESERVATION, id="r-1"),
            rule=RefundRule.RESERVATION_REFUND,
            gross=6_667,
            fee=0,
            amount=6_667,
            parts=Parts(original=6_667),
            cap=CapUse(refund_usd=6_667, cancelled_commitment_usd=6_667, rate="1"),
            working=working,
            postings=refund_issued(6_667, 0),
            currency="USD",
        ),
    )
    assert (the_reservation(s).quantity, the_reservation(s).status) == (1, "ACTIVE")


def test_the_rest_uses_the_same_originals() -> None:
    s = by_support(holding(bought(10_000, quantity=3)), quantity=2)
    assert the_refund(by_support(s)).amount == 3_333
    assert the_reservation(s).status is ReservationStatus.CANCELLED
    s.when(quote()).refused(Code.WRONG_STATE)


def test_parts_that_round_up_never_exceed_what_was_paid() -> None:
    s = holding(bought(1, quantity=2))
    assert the_refund(by_support(s, quantity=1)).amount == 1
    assert the_refund(by_support(s, quantity=1)).amount == 0


def test_nor_do_they_within_an_instalment_when_some_went_back_before() -> None:
    s = holding(bought(60, quantity=4, plan=MONTHLY))
    by_support(s, quantity=2)
    s.at("2026-02-05T00:00:00Z")
    assert [the_refund(by_support(s, quantity=1)).amount for _ in range(2)] == [1, 1]
    s = holding(bought(12, quantity=2, plan=MONTHLY))
    assert [the_refund(by_support(s, quantity=1)).amount for _ in range(2)] == [1, 0]


def test_a_refund_of_nothing_is_settled_at_once() -> None:
    s = by_support(holding(bought(1)).at("2026-12-01T00:00:00Z"))
    assert names(s) == ["ReservationCancelled", "RefundIssued", "RefundSettled"]
    assert the_refund(s).postings == ()
    assert refund_entity(s, the_refund(s).refund_id).status == "SETTLED"


def test_after_10_00_at_most_239_95_of_249_95_is_left() -> None:
    share = round_half_up(Fraction(24_995 * 30, 31))
    assert share == 24_189
    assert at_most_left(share, 24_995, 1_000) == 23_995


@pytest.mark.parametrize("quantity", [0, 4, 10**9])
def test_nothing_and_more_than_is_held_is_no_quantity(quantity: int) -> None:
    s = holding(bought(10_000, quantity=3))
    refusal = by_support(s, quantity=quantity).refused(Code.INVALID_QUANTITY)
    assert refusal.violations[0].rule == "partial_quantity"
    figures = {"reservation": "r-1", "quantity": str(quantity), "held": "3"}
    assert refusal.violations[0].figures == figures


def test_a_quote_lists_it_and_prices_what_is_held() -> None:
    found = quoted(holding(bought(10_000, quantity=3)).when(quote(quantity=4)))
    assert [one.code for one in found.violations] == [Code.INVALID_QUANTITY]
    assert (found.quantity, found.amount) == (4, 10_000)


def test_a_redelivery_stays_quiet() -> None:
    s = holding(bought(10_000, quantity=3))
    s.give(act(quantity=1), role=Role.SUPPORT, id="c-1")
    s.when(act(quantity=1), role=Role.SUPPORT, id="c-1").then()
    assert the_reservation(s).quantity == 2


def test_the_working_says_where_never_twice_took_something_off() -> None:
    """0.01 for two: half up of 0.005 is 0.01, and once more at most 0.00 is left."""
    s = by_support(holding(bought(1, quantity=2)), quantity=1)
    found = quoted(s.when(quote(quantity=1)))
    (step,) = (one for one in found.working if one.step == "never_twice")
    assert step.inputs == {"paid": "0.01 USD", "refunded_before": "0.01 USD"}
    assert step.result == "0.00 USD"


@pytest.mark.parametrize("quantity", [1, 2, 3])
def test_from_one_to_all_that_is_held_is_a_quantity(quantity: int) -> None:
    s = by_support(holding(bought(30_000, quantity=3)), quantity=quantity)
    assert the_refund(s).amount == 10_000 * quantity
    assert the_reservation(s).quantity == 3 - quantity
    by_support(s, quantity=4 - quantity).refused(
        Code.INVALID_QUANTITY if quantity < 3 else Code.WRONG_STATE
    )


@pytest.mark.parametrize(("quantity", "accepted"), [(0, False), (1, True), (2, True), (3, False)])
def test_an_exchange_gives_back_from_one_to_all_that_is_held(
    quantity: int, *, accepted: bool
) -> None:
    s = by_support(holding(bought(30_000, quantity=3)), quantity=1)
    s.when(exchange((back("r-1", quantity),), (new(40_000),)), role=Role.SUPPORT)
    if accepted:
        assert names(s) == ["ReservationExchanged"]
        return
    violation = s.refused(Code.INVALID_QUANTITY).violations[0]
    assert violation.rule == "partial_quantity"
    assert violation.figures == {"reservation": "r-1", "quantity": str(quantity), "held": "2"}


def test_a_quote_above_what_is_held_cancels_no_instalments_that_are_not_there() -> None:
    """1,200.00 in twelve for three: 100.00 now and 1,100.00 to come, though four are asked for."""
    found = quoted(holding(bought(120_000, quantity=3, plan=MONTHLY)).when(quote(quantity=4)))
    assert found.cap == CapUse(refund_usd=10_000, cancelled_commitment_usd=120_000, rate="1")


NEW_YEAR = "2027-01-01T00:00:00Z"
BEFORE = "2026-12-31T23:59:59Z"


def one_by_one(s: Scenario, times: int) -> list[int]:
    """Given back one at a time; what each is worth."""
    return [the_refund(by_support(s, quantity=1)).amount for _ in range(times)]


@pytest.mark.parametrize(
    ("at", "day", "amounts"),
    [
        (BEFORE, "2026-12-31", [3_333, 3_333, 3_333]),
        (NEW_YEAR, "2027-01-01", [3_333, 3_334, 3_333]),
    ],
)
def test_parts_are_rounded_together_from_the_version_that_says_so(
    at: str, day: str, amounts: list[int]
) -> None:
    s = holding(bought(10_000, quantity=3, starts_on=day)).at(at)
    assert one_by_one(s, 3) == amounts


def test_the_working_says_what_was_given_back_before() -> None:
    s = holding(bought(10_000, quantity=3, starts_on="2027-01-01")).at(NEW_YEAR)
    one_by_one(s, 1)
    (shown,) = (
        step for step in quoted(s.when(quote(quantity=1))).working if step.step == "prorated_value"
    )
    assert (shown.inputs["given_back_before"], shown.result) == ("1", "33.34 USD")


def test_what_went_back_in_an_earlier_instalment_does_not_count() -> None:
    s = holding(bought(36_000, quantity=3, plan=MONTHLY, starts_on="2027-01-01")).at(NEW_YEAR)
    one_by_one(s, 1)
    s.at("2027-02-01T00:00:00Z")
    assert one_by_one(s, 2) == [1_000, 1_000]


def test_a_leg_of_an_exchange_counts_as_given_back_before() -> None:
    s = holding(bought(10_000, quantity=3, starts_on="2027-01-01")).at(NEW_YEAR)
    s.give(exchange((back("r-1", 1),), (new(40_000),)), role=Role.SUPPORT)
    assert one_by_one(s, 2) == [3_334, 3_333]


@given(total=st.integers(0, 10**6), quantity=st.integers(1, 12), later=st.integers(0, 364))
def test_parts_of_one_day_come_to_what_all_of_them_do(
    total: int, quantity: int, later: int
) -> None:
    """Whatever was paid, for however many, on whatever day; in any split."""
    day = "2027-01-01T00:00:00Z"
    whole = holding(bought(total, quantity=quantity, starts_on="2027-01-01"), terms=NO_CAP).at(day)
    parts = holding(bought(total, quantity=quantity, starts_on="2027-01-01"), terms=NO_CAP).at(day)
    whole.later(later * DAY)
    parts.later(later * DAY)
    assert sum(one_by_one(parts, quantity)) == the_refund(by_support(whole)).amount
