"""Promotion order: through support only, and 25 % of the promotion orders' cash is kept."""

from __future__ import annotations

import pytest

from ledger.calculations.promotion_order import promotion_fee
from ledger.postings import refund_issued
from ledger.terms.table import released_terms
from ledger.values.instants import DAY, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.shapes import Channel, Parts, RefundRule, Role
from tests.bodies import YEAR, line, order, paid, renewal, returning
from tests.ledger.rules.instances.acts import issued, no_full_refunds, quoted, returned
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)
PROMOTION = Channel.PROMOTION
RATE = released_terms().at(0).promotion_fee


def promoted(cash: int, gift: int, *, full: bool = True) -> Scenario:
    """i-1 from an order through the promotion channel."""
    s = Scenario(terms=None if full else no_full_refunds()).opened()
    s.give(order("o-1", line("i-1", paid(cash, gift)), starts_at=START, channel=PROMOTION))
    return s


def test_self_service_is_refused_with_the_order_named() -> None:
    s = promoted(10_000, 0)
    quote = quoted(s)
    assert [violation.code for violation in quote.violations] == [Code.SELF_SERVICE_NOT_SUPPORTED]
    assert quote.violations[0].figures == {"orders": "o-1"}
    s.when(returning("i-1", quote.quote_id, quote.amount)).refused(Code.SELF_SERVICE_NOT_SUPPORTED)
    assert s.the_account().full_refunds_used == 0


def test_support_returns_it_less_a_quarter_of_the_cash() -> None:
    s = promoted(20_000, 20_796)
    s.give(returning("i-1"), role=Role.SUPPORT)
    refund = issued(s)
    assert refund.rule is RefundRule.FIVE_DAYS_NO_REASON
    assert (refund.gross, refund.fee, refund.amount) == (40_796, 5_000, 35_796)
    assert refund.parts == Parts(cash=15_000, gift=20_796)
    assert refund.postings == refund_issued(40_796, 5_000)


def test_the_fee_is_of_the_cash_paid_not_of_the_cash_refunded() -> None:
    s = promoted(20_000, 20_796, full=False).later(2 * DAY)
    s.give(returning("i-1"), role=Role.SUPPORT)
    refund = issued(s)
    assert (refund.gross, refund.fee) == (38_780, 5_000)
    assert refund.parts == Parts(cash=19_012 - 5_000, gift=19_768)


def test_the_fee_never_takes_more_than_the_cash_part() -> None:
    s = promoted(10_000, 60_000, full=False).at("2026-12-05T08:00:00Z")  # 11 months at 51.00
    s.give(returning("i-1"), role=Role.SUPPORT)
    refund = issued(s)
    assert refund.gross == 70_000 - 56_100  # of it 19.86 cash, a seventh; a quarter were 25.00
    assert (refund.fee, refund.parts) == (1_986, Parts(cash=0, gift=11_914))


def test_gift_money_bears_no_fee() -> None:
    s = promoted(0, 90_000)
    s.give(returning("i-1"), role=Role.SUPPORT)
    assert (issued(s).fee, issued(s).parts) == (0, Parts(cash=0, gift=90_000))


def test_a_fee_that_eats_the_whole_refund_leaves_nothing() -> None:
    s = promoted(30_000, 0, full=False).at("2026-06-05T08:00:00Z")  # 5 months at 51.00 = 255.00
    s.give(returning("i-1"), role=Role.SUPPORT)
    refund = issued(s)
    assert (refund.gross, refund.fee, refund.amount) == (4_500, 4_500, 0)
    assert refund.postings == refund_issued(4_500, 4_500)
    assert type(s.outcome[-1]).__name__ == "RefundSettled"


def test_one_promotion_order_among_those_counted_is_enough() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1", paid(10_000)), starts_at=START))
    s.give(renewal("o-2", line("i-1", paid(4_002, 98)), starts_at=BEGIN + YEAR, channel=PROMOTION))
    assert quoted(s).violations[0].figures == {"orders": "o-2"}
    s.give(returning("i-1"), role=Role.SUPPORT)
    assert (issued(s).fee, issued(s).parts) == (1_001, Parts(cash=13_001, gift=98))  # 1000.5 up


def test_a_promotion_order_that_has_ended_no_longer_counts() -> None:
    s = promoted(10_000, 0)
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at=BEGIN + YEAR))
    quote = quoted(s.at(BEGIN + YEAR))
    assert (quote.violations, quote.fee) == ((), 0)


def test_the_last_step_of_the_working_is_what_is_left_after_the_fee() -> None:
    step = returned(promoted(20_000, 0), role=Role.SUPPORT).working[-1]
    assert (step.step, step.result) == ("refund", "150.00 CNY")
    assert step.inputs == {"gross": "200.00 CNY", "fee": "50.00 CNY"}


def test_the_fee_stands_in_the_working() -> None:
    steps = {step.step: step for step in quoted(promoted(20_000, 0)).working}
    assert steps["promotion_fee"].inputs == {
        "promotion_cash": "200.00 CNY",
        "rate": "0.25",
        "refund_cash": "200.00 CNY",
        "rounding": "half up, at most the cash part",
    }
    assert steps["promotion_fee"].result == "50.00 CNY"


@pytest.mark.parametrize(
    ("promotion_cash", "refund_cash", "fee"),
    [(20_000, 20_000, 5_000), (20_000, 3_000, 3_000), (2, 2, 1), (1, 1, 0), (20_000, 0, 0)],
)
def test_the_fee_by_hand(promotion_cash: int, refund_cash: int, fee: int) -> None:
    assert promotion_fee(promotion_cash, refund_cash, RATE) == fee
