"""Never twice: what is left of a payment is the most that goes back of it, to the last unit."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.calculations.never_twice import at_most_left, left_of
from ledger.values.refusal import Code
from ledger.vocabulary.shapes import ProductKind, Role
from tests.bodies import line, order, paid, renewal, returning
from tests.ledger.rules.instances.acts import bought, issued, no_full_refunds, returned
from tests.ledger.rules.marketplace import stories as market
from tests.ledger.rules.reservations import stories as held
from tests.scenario import START, Scenario


@pytest.mark.parametrize(
    ("refund", "given"), [(23_994, 23_994), (23_995, 23_995), (23_996, 23_995), (24_189, 23_995)]
)
def test_10_00_of_249_95_went_back_so_239_95_is_the_most(refund: int, given: int) -> None:
    assert at_most_left(refund, 24_995, 1_000) == given


def test_where_more_went_back_than_was_paid_nothing_is_left_not_less() -> None:
    assert at_most_left(1, 100, 99) == 1
    assert at_most_left(1, 100, 100) == 0
    assert at_most_left(1, 100, 101) == 0


def test_of_a_purchase_each_fund_is_left_less_what_went_back_of_it() -> None:
    purchase = replace(market.the_purchase(market.bought()), refunded_cash=8_000, refunded_gift=1)
    assert left_of(purchase) == (12_000, 9_999)


def test_two_parts_of_a_cent_are_a_cent_and_nothing() -> None:
    s = held.holding(held.bought(1, quantity=2))
    parts = [held.the_refund(held.by_support(s, quantity=1)).amount for _ in range(2)]
    assert parts == [1, 0]


def test_tickets_go_to_the_last_unit_of_each_fund_and_no_further() -> None:
    s = market.bought(ProductKind.API, paid(2, 1, 500))
    parts = [market.the_refund(s.when(market.ticket(1))).parts for _ in range(3)]
    assert [(one.cash, one.gift) for one in parts] == [(1, 0), (0, 1), (1, 0)]
    s.when(market.ticket(1)).refused(Code.EXCEEDS_PAID)


def test_an_application_gives_back_each_fund_as_it_was_paid() -> None:
    parts = market.the_refund(market.approve(market.applied(funds=paid(7, 3, 500)))).parts
    assert (parts.cash, parts.gift) == (7, 3)


def test_an_order_gives_its_money_back_once_however_often_it_is_asked_for() -> None:
    s = bought(paid(100_000), terms=no_full_refunds())
    returned(s)
    s.when(returning("i-1"), role=Role.SUPPORT).refused(Code.WRONG_STATE)
    s.give(renewal("o-2", line("i-1", paid(700)), starts_at=s.now))
    s.when(returning("i-1"), role=Role.SUPPORT).refused(Code.WRONG_STATE)


def test_of_an_order_of_several_lines_each_gives_back_its_own() -> None:
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1", paid(3)), line("i-2", paid(4)), starts_at=START))
    s.give(returning("i-1"), role=Role.SUPPORT)
    assert issued(s).amount == 3
    s.give(returning("i-2"), role=Role.SUPPORT)
    assert issued(s).amount == 4
