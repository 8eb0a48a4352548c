"""At least as much: the new lifetime totals against the remaining commitment returned."""

from __future__ import annotations

from ledger.values.refusal import Code
from tests.ledger.rules.reservations.stories import (
    MONTHLY,
    back,
    bought,
    exchange_quoted,
    holding,
    new,
    quote_exchange,
)
from tests.scenario import Scenario


def halfway() -> Scenario:
    """2,350.00 of commitment remain: 50.00 of the running instalment, 23 later ones."""
    s = holding(bought(360_000, months=36, starts_on="2025-04-01", plan=MONTHLY))
    return s.at("2026-04-16T12:00:00Z")


def test_equality_is_accepted_and_only_the_prorated_value_nets() -> None:
    found = exchange_quoted(halfway().when(quote_exchange((back(),), (new(235_000),))))
    assert found.violations == ()
    assert found.remaining_commitment == 235_000
    assert (found.returned_total, found.payable, found.amount) == (5_000, 230_000, 230_000)


def test_a_cent_less_is_too_low() -> None:
    found = exchange_quoted(halfway().when(quote_exchange((back(),), (new(234_999),))))
    (violation,) = found.violations
    assert (violation.rule, violation.code) == ("at_least_as_much", Code.NEW_TOTAL_TOO_LOW)
    assert violation.figures == {"new_total": "2349.99", "remaining_commitment": "2350.00"}


def test_several_legs_are_summed() -> None:
    s = holding(bought(10_000), bought(20_000, "r-2"))
    legs = (back("r-1"), back("r-2"))
    found = exchange_quoted(s.when(quote_exchange(legs, (new(10_000), new(20_000, "r-10")))))
    assert (found.violations, found.payable) == ((), 0)
    found = exchange_quoted(s.when(quote_exchange(legs, (new(29_999),))))
    assert [one.code for one in found.violations] == [Code.NEW_TOTAL_TOO_LOW]
    assert found.payable == -1
