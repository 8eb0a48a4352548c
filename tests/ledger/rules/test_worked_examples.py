"""The worked examples of the rulebook that need no other source than an instance order."""

from __future__ import annotations

from ledger.values.instants import HOUR
from ledger.vocabulary.shapes import Parts, RefundRule, Role
from tests.bodies import component, downgrading, line, order, paid, smaller, upgrade
from tests.ledger.rules.instances.acts import issued, no_full_refunds, quoted, returned, settle
from tests.scenario import START, Scenario


def test_a_year_at_152_inside_five_days_gives_back_1413_92() -> None:
    price = 15_200 * 12 * 83 // 100
    assert price == 151_392
    s = Scenario().opened()
    year = component(list_monthly=152_000_000)
    s.give(order("o-1", line("i-1", paid(price - 10_000, 0, 10_000), year), starts_at=START))
    refund = returned(s.later(48 * HOUR))
    assert (refund.rule, refund.amount) == (RefundRule.FIVE_DAYS_NO_REASON, 141_392)


def test_a_year_at_51_after_48_hours_without_quota_gives_back_387_80() -> None:
    price = 5_100 * 12 * 83 // 100
    assert price == 50_796
    s = Scenario().opened()
    s.give(order("o-0", line("i-0"), starts_at=START))
    returned(s, "i-0")
    s.give(order("o-1", line("i-1", paid(price - 10_000, 0, 10_000)), starts_at=START))
    refund = returned(s.later(48 * HOUR))
    assert (refund.rule, refund.amount) == (RefundRule.ORDINARY_RETURN, 38_780)


def test_11_after_an_upgrade_502_10_come_back() -> None:
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1", paid(40_796)), starts_at=START))
    s.later(12 * HOUR).give(upgrade("u-1", paid(10_000), at=s.now))
    refund = returned(s.later(60 * HOUR))
    assert (refund.rule, refund.amount) == (RefundRule.ORDINARY_RETURN, 50_210)


def test_12_down_to_60_a_month_after_two_months_gives_back_183_92() -> None:
    price = 10_200 * 12 * 83 // 100 - 10_000
    assert price == 91_592
    s = Scenario().opened()
    year = component(list_monthly=102_000_000)
    end = "2027-01-05T08:00:00Z"
    s.give(order("o-1", line("i-1", paid(price, 0, 10_000), year), starts_at=START, ends_at=end))
    what = smaller(component(list_monthly=60_000_000))
    s.at("2026-03-05T08:00:00Z").give(downgrading(what), role=Role.SUPPORT)
    refund = issued(s)
    assert (refund.rule, refund.amount) == (RefundRule.DOWNGRADE, 18_392)


def test_cash_and_gift_money_come_back_as_paid_without_the_voucher() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1", paid(20_000, 20_796, 10_000)), starts_at=START))
    refund = returned(s)
    assert refund.parts == Parts(cash=20_000, gift=20_796)
    credited = settle(s, refund).outcome[0]
    assert (getattr(credited, "cash", None), getattr(credited, "gift", None)) == (20_000, 20_796)


def test_a_quote_shows_the_same_before_anything_happens() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1", paid(20_000, 20_796, 10_000)), starts_at=START))
    assert quoted(s).parts == Parts(cash=20_000, gift=20_796)
