"""Exchange: reservations of one type for new ones of that type, each named once."""

from __future__ import annotations

import pytest

from ledger.terms.table import released_terms
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.shapes import NewReservation, ReservationReturn, Role
from ledger.vocabulary.shapes import WorkingStep as Step
from tests.ledger.rules.reservations.stories import (
    back,
    bought,
    by_support,
    exchange,
    exchange_quoted,
    exchanged,
    holding,
    names,
    new,
    quote_exchange,
)
from tests.scenario import Scenario


def listed(
    s: Scenario, returns: tuple[ReservationReturn, ...], *purchases: NewReservation
) -> tuple[Violation, ...]:
    return exchange_quoted(s.when(quote_exchange(returns, purchases))).violations


@pytest.mark.parametrize(
    ("returned", "wanted"),
    [
        ("VirtualMachines", "VirtualMachines"),
        ("SqlDatabases", "SqlManagedInstances"),
        ("SomethingNew", "SomethingNew"),
    ],
)
def test_one_family_for_the_same_family(returned: str, wanted: str) -> None:
    s = holding(bought(product_type=returned))
    assert listed(s, (back(),), new(40_000, product_type=wanted)) == ()


@pytest.mark.parametrize(
    ("returned", "wanted"),
    [("VirtualMachines", "SqlDatabases"), ("VirtualMachines", "compute"), ("A", "B")],
)
def test_another_family_is_another_type(returned: str, wanted: str) -> None:
    s = holding(bought(product_type=returned))
    (violation,) = listed(s, (back(),), new(40_000, product_type=wanted))
    assert (violation.rule, violation.code) == ("exchange", Code.DIFFERENT_TYPE)
    assert violation.figures["returned_types"] == returned
    assert violation.figures["new_types"] == wanted


def test_several_returned_must_be_of_one_type_too() -> None:
    s = holding(bought(), bought(36_500, "r-2", product_type="SqlDatabases"))
    (violation,) = listed(s, (back("r-1"), back("r-2")), new(80_000))
    assert violation.code is Code.DIFFERENT_TYPE
    assert violation.figures["families"] == "compute, sql"


def test_some_types_cannot_be_exchanged() -> None:
    s = holding(bought(product_type="SuseLinux"))
    (violation,) = listed(s, (back(),), new(40_000, product_type="SuseLinux"))
    assert (violation.rule, violation.code) == ("exchange", Code.NOT_EXCHANGEABLE)
    assert violation.figures == {"product_type": "SuseLinux"}


@pytest.mark.parametrize("product_type", sorted(released_terms().at(0).not_exchangeable))
def test_what_cannot_be_exchanged_can_be_refunded(product_type: str) -> None:
    s = holding(bought(product_type=product_type), bought(36_500, "r-2", product_type="Other"))
    s.when(exchange((back(),), (new(40_000, product_type=product_type),)), role=Role.SUPPORT)
    s.refused(Code.NOT_EXCHANGEABLE)
    assert names(by_support(s)) == ["ReservationCancelled", "RefundIssued"]
    s.when(exchange((back("r-2"),), (new(40_000, product_type="Other"),)), role=Role.SUPPORT)
    assert names(s) == ["ReservationExchanged"]


def test_the_same_reservation_twice_is_no_quantity() -> None:
    s = holding(bought(quantity=3))
    (violation,) = listed(s, (back("r-1", 1), back("r-1", 2)), new(40_000))
    assert (violation.rule, violation.code) == ("exchange", Code.INVALID_QUANTITY)
    assert violation.figures == {"reservation": "r-1", "times": "2"}


def test_everything_wrong_is_said_at_once_in_order() -> None:
    s = holding(bought(product_type="SuseLinux", owners=("u-2",)))
    found = listed(s, (back("r-1", 2), back("r-1")), new(1))
    assert [violation.code for violation in found] == [
        Code.NOT_OWNER,
        Code.INVALID_QUANTITY,
        Code.DIFFERENT_TYPE,
        Code.NOT_EXCHANGEABLE,
        Code.INVALID_QUANTITY,
        Code.NEW_TOTAL_TOO_LOW,
    ]


def test_a_new_reservation_needs_a_new_id() -> None:
    s = holding().when(quote_exchange((back(),), (new(40_000, "r-1"),)))
    assert s.refused(Code.ALREADY_EXISTS).violations[0].figures == {"reservation": "r-1"}


def test_what_is_returned_must_be_there() -> None:
    s = holding().when(quote_exchange((back("r-7"), back("r-8")), (new(40_000),)))
    s.refused(Code.NOT_FOUND, Code.NOT_FOUND)


def test_what_was_exchanged_is_gone() -> None:
    s = holding().when(exchange((back(),), (new(40_000),)), role=Role.SUPPORT)
    s.when(quote_exchange((back(),), (new(50_000, "r-10"),))).refused(Code.WRONG_STATE)


def test_another_currency_is_listed_first() -> None:
    s = holding()
    s.when(quote_exchange((back(),), (new(1),), currency="EUR"))
    codes = [violation.code for violation in exchange_quoted(s).violations]
    assert codes == [Code.CURRENCY_MISMATCH, Code.NEW_TOTAL_TOO_LOW]


@pytest.mark.parametrize("name", ["name", "result", "step", "rule", "code", "message"])
def test_a_reservation_may_have_any_name(name: str) -> None:
    s = holding(bought(36_500, name)).when(
        exchange((back(name),), (new(40_000, f"{name}-2"),)), role=Role.SUPPORT
    )
    assert exchanged(s).payable == 3_500


def test_the_working_can_be_redone_by_hand() -> None:
    """1.00 a day for 355 of 365 days and 2.00 a day for 355; 1,100.00 and 1.00 are bought."""
    s = holding(bought(36_500), bought(73_000, "r-2")).at("2026-01-15T10:00:00Z")
    legs, fresh = (back("r-1"), back("r-2")), (new(110_000), new(100, "r-10"))
    found = exchange_quoted(s.when(quote_exchange(legs, fresh)))
    assert found.amount == found.payable == 3_600
    assert [one.step for one in found.working[:6]] == [
        *["days_remaining", "prorated_value", "remaining_commitment"],
        *["days_remaining", "prorated_value", "remaining_commitment"],
    ]
    assert found.working[6:] == (
        Step(
            step="returned_total",
            inputs={"values": "r-1 355.00 USD; r-2 710.00 USD"},
            result="1065.00 USD",
        ),
        Step(
            step="purchased_total",
            inputs={"totals": "r-9 1100.00 USD; r-10 1.00 USD"},
            result="1101.00 USD",
        ),
        Step(
            step="at_least_as_much",
            inputs={"purchased_total": "1101.00 USD", "remaining_commitment": "1065.00 USD"},
            result="1101.00 USD against 1065.00 USD",
        ),
        Step(
            step="payable",
            inputs={"purchased_total": "1101.00 USD", "returned_total": "1065.00 USD"},
            result="36.00 USD",
        ),
    )


@pytest.mark.parametrize(("second", "accepted"), [("r-2", True), ("r-1", False)])
def test_two_reservations_are_returned_once_each_and_one_is_not_returned_twice(
    second: str, *, accepted: bool
) -> None:
    s = holding(bought(20_000, quantity=2), bought(20_000, "r-2", quantity=2))
    legs = (back("r-1", 1), back(second, 1))
    s.when(exchange(legs, (new(40_000),)), role=Role.SUPPORT, id="c-1")
    if accepted:
        assert [leg.quantity_left for leg in exchanged(s).returned] == [1, 1]
    else:
        s.refused(Code.INVALID_QUANTITY)
    s.again().then()
