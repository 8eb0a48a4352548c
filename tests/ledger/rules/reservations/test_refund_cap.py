"""Refund cap: 50,000.00 US dollars in a rolling 365 days, to the instant, in either reading."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.calculations.refund_cap import cap_use
from ledger.terms.table import CapBasis, released_terms
from ledger.values.instants import DAY, format_instant, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.shapes import CapUse, Role
from tests.ledger.rules.reservations.stories import (
    MONTHLY,
    act,
    bought,
    by_support,
    exchange,
    exchanged,
    holding,
    new,
    quote,
    quoted,
    the_refund,
)
from tests.ledger.rules.reservations.stories import back as give_back
from tests.scenario import START, Scenario, with_terms

FIRST = parse_instant(START)
RELEASE = FIRST + 365 * DAY


def mostly_used() -> Scenario:
    """45,000.00 refunded at START; r-2 to r-4 would bring 5,000.00, 5,000.01 and 0.01."""
    s = holding(
        bought(4_500_000),
        *(
            bought(total, f"r-{number}", months=36, starts_on="2027-12-01")
            for number, total in ((2, 500_000), (3, 500_001), (4, 1))
        ),
    )
    return by_support(s)


def test_exactly_the_limit_is_accepted_and_a_cent_more_is_not() -> None:
    s = mostly_used()
    by_support(s, "r-3").refused(Code.REFUND_CAP_EXCEEDED)
    assert the_refund(by_support(s, "r-2")).amount == 500_000
    by_support(s, "r-4").refused(Code.REFUND_CAP_EXCEEDED)


def test_the_refusal_says_all_its_figures_and_binds_support_too() -> None:
    s = by_support(mostly_used().later(DAY), "r-3")
    violation = s.refused(Code.REFUND_CAP_EXCEEDED).violations[0]
    assert violation.rule == "refund_cap"
    assert violation.figures == {
        "refund_usd": "5000.01",
        "consumed_usd": "45000.00",
        "limit_usd": "50000.00",
        "left_usd": "5000.00",
        "basis": "REFUND",
        "next_release_at": format_instant(RELEASE),
        "next_release_usd": "45000.00",
    }


def test_a_refusal_uses_nothing_of_the_cap() -> None:
    s = by_support(mostly_used(), "r-3")
    assert len(s.cap_entries()) == 1


def test_alone_above_the_limit_nothing_is_released_next() -> None:
    s = by_support(holding(bought(5_000_001)))
    figures = s.refused(Code.REFUND_CAP_EXCEEDED).violations[0].figures
    assert (figures["next_release_at"], figures["next_release_usd"]) == ("none", "0.00")


def test_a_refund_counts_until_it_is_365_days_old_to_the_instant() -> None:
    s = mostly_used()
    by_support(s.at(RELEASE - 1), "r-3").refused(Code.REFUND_CAP_EXCEEDED)
    assert the_refund(by_support(s.at(RELEASE), "r-3")).amount == 500_001


def test_the_quote_shows_what_is_left_and_when_more_is_released() -> None:
    found = quoted(mostly_used().when(quote("r-2"), role=Role.SUPPORT))
    step = found.working[-1]
    assert (step.step, step.result) == ("refund_cap", "left 0.00 USD")
    assert step.inputs == {
        "basis": "REFUND",
        "counts": "5000.00 USD",
        "limit": "50000.00 USD",
        "consumed": "45000.00 USD",
        "left_before": "5000.00 USD",
        "next_release_at": format_instant(RELEASE),
        "next_release": "45000.00 USD",
    }
    assert found.violations == ()


def test_a_quote_above_the_cap_is_given_and_lists_it() -> None:
    found = quoted(mostly_used().when(quote("r-3"), role=Role.SUPPORT))
    assert [one.code for one in found.violations] == [Code.REFUND_CAP_EXCEEDED]
    assert found.amount == 500_001
    assert found.working[-1].result == "0.01 USD too much"


def test_the_stored_amount_times_the_rate_counts_half_up_to_the_cent() -> None:
    assert cap_use(100, 0, "0.0065", "JPY") == CapUse(
        refund_usd=65, cancelled_commitment_usd=65, rate="0.0065"
    )
    assert cap_use(5_000, 230_000, "1.005", "EUR") == CapUse(
        refund_usd=5_025, cancelled_commitment_usd=236_175, rate="1.005"
    )
    s = holding(bought(36_500, currency="EUR"), currency="EUR")
    s.when(act(rate="1.23456"), role=Role.SUPPORT)
    assert the_refund(s).cap == CapUse(
        refund_usd=45_061, cancelled_commitment_usd=45_061, rate="1.23456"
    )
    assert s.cap_entries()[0].refund_usd == 45_061


def test_a_dollar_account_counts_its_dollars_as_they_are() -> None:
    s = holding().when(act(rate="1.1"), role=Role.SUPPORT)
    refusal = s.refused(Code.CURRENCY_MISMATCH)
    assert refusal.violations[0].figures == {"account_currency": "USD", "usd_rate": "1.1"}
    s.when(act(rate="1.00"), role=Role.SUPPORT)
    assert the_refund(s).amount == 36_500


def test_exchanges_never_count() -> None:
    s = holding(bought(9_000_000)).when(
        exchange((give_back(),), (new(9_000_000),)), role=Role.SUPPORT
    )
    assert exchanged(s).returned_total == 9_000_000
    assert s.cap_entries() == []


def test_on_the_commitment_basis_108_000_is_cancellable_once_58_000_is_spent() -> None:
    terms = with_terms(released_terms(), cap_basis=CapBasis.COMMITMENT)
    three_years = bought(10_800_000, months=36, starts_on="2024-11-01", plan=MONTHLY)
    s = by_support(holding(three_years, terms=terms).at("2026-06-10T23:59:59Z"))
    figures = s.refused(Code.REFUND_CAP_EXCEEDED).violations[0].figures
    assert (figures["basis"], figures["refund_usd"]) == ("COMMITMENT", "50100.00")
    refund = the_refund(by_support(s.at("2026-06-11T00:00:00Z")))
    assert refund.amount == 200_000
    assert refund.cap == CapUse(refund_usd=200_000, cancelled_commitment_usd=5_000_000, rate="1")


def test_on_the_refund_basis_cancelled_instalments_use_nothing_of_the_cap() -> None:
    """3,000.00 a month for three years: 3,000.00 counts, not 108,000.00, which is not to be had."""
    s = holding(*(bought(10_800_000, one, months=36, plan=MONTHLY) for one in ("r-1", "r-2")))
    by_support(s, "r-1")
    step = quoted(s.when(quote("r-2"))).working[-1]
    assert (step.inputs["basis"], step.inputs["counts"]) == ("REFUND", "3000.00 USD")
    assert (step.inputs["consumed"], step.inputs["next_release"]) == ("3000.00 USD", "3000.00 USD")
    assert step.result == "left 44000.00 USD"


def test_a_redelivery_uses_the_cap_once() -> None:
    s = holding(bought(quantity=2))
    s.give(act(quantity=1), role=Role.SUPPORT, id="c-1")
    s.when(act(quantity=1), role=Role.SUPPORT, id="c-1").then()
    assert len(s.cap_entries()) == 1


def test_a_cap_lowered_since_leaves_nothing_and_not_less() -> None:
    s = by_support(holding(bought(4_000_000)))
    for limit, left in ((4_000_001, 1), (4_000_000, 0), (3_999_999, 0)):
        lowered = replace(released_terms().at(0), cap_usd=limit)
        room = s.cap_room(FIRST, lowered)
        assert (room.consumed, room.limit, room.left) == (4_000_000, limit, left)


def test_only_the_oldest_of_what_counts_is_released_next() -> None:
    s = holding(bought(100), bought(200, "r-2"), bought(400, "r-3", starts_on="2030-01-01"))
    for one in ("r-1", "r-2"):
        by_support(s, one)
    by_support(s.later(1), "r-3")
    terms = released_terms().at(0)
    room = s.cap_room(RELEASE - 1, terms)
    assert (room.consumed, room.next_release_at, room.next_release) == (700, RELEASE, 300)
    room = s.cap_room(RELEASE, terms)
    assert (room.consumed, room.next_release_at, room.next_release) == (400, RELEASE + 1, 400)
    assert s.cap_room(RELEASE + 1, terms).next_release_at is None


def test_a_refund_of_nothing_is_not_what_is_released_next() -> None:
    """0.00 first, 0.01 a microsecond later: nothing is released but the cent."""
    s = by_support(holding(bought(1), bought(1, "r-2", starts_on="2027-01-05")).later(300 * DAY))
    assert the_refund(s).amount == 0
    by_support(s.later(1), "r-2")
    room = s.cap_room()
    assert (room.next_release_at, room.next_release) == (s.now + 365 * DAY, 1)
