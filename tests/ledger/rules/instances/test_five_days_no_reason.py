"""Five days, no reason: all of a new order's money comes back, fund by fund, once per account."""

from __future__ import annotations

import pytest

from ledger.values.instants import DAY, HOUR, parse_instant
from ledger.vocabulary.shapes import Parts, RefundRule, Role
from tests.bodies import YEAR, line, order, paid, renewal, returning
from tests.ledger.rules.instances.acts import bought, issued, quoted, returned
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)
FIVE, ORDINARY = RefundRule.FIVE_DAYS_NO_REASON, RefundRule.ORDINARY_RETURN


@pytest.mark.parametrize(
    ("after", "rule"), [(0, FIVE), (120 * HOUR, FIVE), (120 * HOUR + 1, ORDINARY), (DAY, FIVE)]
)
def test_the_120th_hour_is_inside_to_the_microsecond(after: int, rule: RefundRule) -> None:
    assert returned(bought().later(after)).rule is rule


def test_each_fund_comes_back_exactly_as_paid_and_the_voucher_does_not() -> None:
    refund = returned(bought(paid(1, 40_795, 10_000)))
    assert (refund.amount, refund.parts) == (40_796, Parts(cash=1, gift=40_795))


def test_the_hours_are_counted_from_delivery() -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=START, delivered_at=BEGIN + 3 * DAY))
    assert quoted(s.at(BEGIN + 8 * DAY)).rule is FIVE
    assert quoted(s.later(1)).rule is ORDINARY


def test_an_early_delivery_counts_before_the_order_starts() -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=BEGIN + 10 * DAY, delivered_at=BEGIN))
    assert quoted(s.at(BEGIN + 5 * DAY)).rule is FIVE
    late = quoted(s.later(1))
    assert (late.rule, late.amount) == (ORDINARY, 40_796 - 120 * 42)


def test_an_order_not_yet_begun_is_inside_its_five_days() -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=BEGIN + 10 * DAY))
    quote = quoted(s)
    assert (quote.rule, quote.amount) == (FIVE, 40_796)


def test_once_the_quota_is_used_the_next_is_an_ordinary_return() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1"), line("i-2"), starts_at=START))
    assert returned(s.later(2 * DAY), "i-1").rule is FIVE
    second = returned(s, "i-2")
    assert (second.rule, second.amount) == (ORDINARY, 38_780)
    assert s.the_account().full_refunds_used == 1
    assert s.the_account().ordinary_returns_used == 1


def test_support_gets_the_full_refund_only_while_it_is_free_and_spends_it() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1"), line("i-2"), starts_at=START))
    s.give(returning("i-1"), role=Role.SUPPORT)
    assert (issued(s).rule, issued(s).quota_spent) == (FIVE, True)
    s.give(returning("i-2"), role=Role.SUPPORT)
    assert (issued(s).rule, issued(s).quota_spent) == (ORDINARY, False)
    assert s.the_account().full_refunds_used == 1
    assert s.the_account().ordinary_returns_used == 0


def test_a_quote_alone_spends_nothing() -> None:
    s = bought()
    quoted(s)
    assert returned(s).rule is FIVE


def test_a_renewal_never_qualifies_itself() -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=START, ends_at=BEGIN + 2 * DAY))
    s.give(renewal("o-2", starts_at=BEGIN + 2 * DAY))
    assert quoted(s.at(BEGIN + 2 * DAY - 1)).rule is FIVE
    assert quoted(s.at(BEGIN + 2 * DAY)).rule is ORDINARY


def test_a_renewal_not_yet_begun_comes_back_in_full_beside() -> None:
    s = bought(paid(100, 50))
    s.give(renewal("o-2", line("i-1", paid(7, 9, 4)), starts_at=BEGIN + YEAR))
    refund = returned(s.later(5 * DAY))
    assert (refund.rule, refund.parts) == (FIVE, Parts(cash=107, gift=59))


def test_what_a_voucher_paid_is_a_full_refund_of_nothing() -> None:
    s = bought(paid(voucher=40_796))
    refund = returned(s)
    assert (refund.rule, refund.amount) == (FIVE, 0)
    assert s.the_account().full_refunds_used == 1
