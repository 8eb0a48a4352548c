"""Ordinary return: what was paid less the value used, shared over the funds in the ratio paid."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.calculations.prepaid_return import prepaid_return
from ledger.calculations.value_used import ladder, value_used
from ledger.values.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from ledger.vocabulary.shapes import LadderStep, Parts, RefundRule, Role, WorkingStep
from tests.bodies import YEAR, component, line, order, paid, renewal, returning
from tests.ledger.rules.instances.acts import (
    bought,
    instance,
    issued,
    no_full_refunds,
    quoted,
    returned,
)
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)
MIDNIGHT = parse_instant("2026-01-30T16:00:00Z")  # 31 Jan 00:00 in Shanghai


def used(s: Scenario, instance_id: str = "i-1") -> int:
    """Paid less the quoted refund, before any fee."""
    quote = quoted(s, instance_id)
    assert quote.rule is RefundRule.ORDINARY_RETURN
    return 100_000_000 - quote.gross


def rich(*lines: object, start: str | int = START, **parts: object) -> Scenario:
    """i-1, paid 1,000,000.00 in cash, in an account without a five-day refund."""
    s = Scenario(terms=no_full_refunds()).opened()
    first = line("i-1", paid(100_000_000), *lines, **parts)  # type: ignore[arg-type] # passed on
    s.give(order("o-1", first, starts_at=start))
    return s


def test_the_rest_is_counted_by_the_second_at_the_ladder() -> None:
    s = rich(component(hourly=3_600_000))  # 3.60 an hour, 0.001 a second
    assert used(s.at(BEGIN)) == 0
    assert used(s.at(BEGIN + 10 * SECOND)) == 1
    assert used(s.at(BEGIN + 15 * SECOND - 1)) == 1
    assert used(s.at(BEGIN + 15 * SECOND)) == 1  # 0.015: the refund is 999999.985, half up
    assert used(s.at(BEGIN + 16 * SECOND)) == 2
    assert used(s.at(BEGIN + HOUR)) == 360


def test_each_hour_has_its_own_steps_price() -> None:
    s = rich(component(hourly=((0, 500_000), (10, 400_000), (24, 100_000))))
    assert used(s.at(BEGIN + 10 * HOUR)) == 500
    assert used(s.at(BEGIN + 12 * HOUR)) == 500 + 80
    assert used(s.at(BEGIN + 25 * HOUR)) == 500 + 14 * 40 + 10


def test_the_ladder_starts_anew_with_the_rest() -> None:
    s = rich(component(hourly=((0, 500_000), (10, 100_000))), start=MIDNIGHT)
    s.at("2026-02-28T01:00:00Z")  # one clipped month, 9 hours into the rest
    assert used(s) == 5100 + 9 * 50


def test_several_components_are_added_up_exactly() -> None:
    third = component("ip", list_monthly=1_000_000, hourly=3_333)
    s = rich(component(), third, start=MIDNIGHT)
    s.at("2026-02-28T16:00:00Z")  # one month and 24 hours
    assert used(s) == round(5100 + 100 + 24 * (42 + 0.3333))


@pytest.mark.parametrize(
    ("until", "months"),
    [
        ("2026-02-27T15:59:59.999999Z", 0),
        ("2026-02-27T16:00:00Z", 1),  # 28 Feb 00:00 there, clipped
        ("2026-03-30T15:59:59.999999Z", 1),
        ("2026-03-30T16:00:00Z", 2),  # 31 Mar 00:00 there
    ],
)
def test_months_are_calendar_months_of_shanghai(until: str, months: int) -> None:
    s = rich(component(hourly=0), start=MIDNIGHT)
    assert used(s.at(until)) == months * 5100


@pytest.mark.parametrize(
    ("until", "value"),
    [
        ("2026-02-27T16:00:00Z", 1 * 10_000),
        ("2026-03-30T16:00:00Z", 2 * 10_000),
        ("2026-04-29T16:00:00Z", 3 * 9_000),
        ("2026-06-29T16:00:00Z", 5 * 9_000),
        ("2026-07-30T16:00:00Z", 6 * 8_300),
    ],
)
def test_the_months_used_earn_the_discount_of_their_number(until: str, value: int) -> None:
    priced = component(list_monthly=100_000_000, hourly=0)
    s = rich(priced, start=MIDNIGHT, discounts=((3, "0.9"), (6, "0.83"), (12, "0.5")))
    assert used(s.at(until)) == value


def test_the_smallest_discount_need_not_begin_at_one_month() -> None:
    priced = component(list_monthly=100_000_000, hourly=0)
    s = rich(priced, start=MIDNIGHT, discounts=((1, "0.123456789012"),))
    assert used(s.at("2026-02-27T16:00:00Z")) == 1235


def test_a_use_worth_more_than_paid_leaves_nothing() -> None:
    s = bought(paid(1000, 500), terms=no_full_refunds()).later(YEAR - HOUR)
    refund = returned(s)
    assert (refund.gross, refund.fee, refund.amount) == (0, 0, 0)
    assert refund.parts == Parts(cash=0, gift=0)
    assert refund.postings == ()
    assert [type(body).__name__ for body in s.outcome][-1] == "RefundSettled"
    assert s.the_account().ordinary_returns_used == 1


def test_an_order_paid_by_voucher_alone_gives_back_nothing() -> None:
    s = bought(paid(voucher=40_796), terms=no_full_refunds()).later(HOUR)
    refund = returned(s)
    assert (refund.amount, refund.parts) == (0, Parts(cash=0, gift=0))


def test_the_cash_is_its_half_up_share_and_gift_money_the_rest() -> None:
    s = bought(paid(20_000, 20_796), terms=no_full_refunds()).later(48 * HOUR)
    refund = returned(s)
    assert (refund.amount, refund.parts) == (38_780, Parts(cash=19_012, gift=19_768))


def test_the_ratio_is_pooled_over_the_orders_counted() -> None:
    s = bought(paid(1000, 0), terms=no_full_refunds())
    s.give(renewal("o-2", line("i-1", paid(0, 1000)), starts_at=BEGIN + YEAR))
    refund = returned(s.later(10 * HOUR))  # 4.20 used of 20.00
    assert (refund.amount, refund.parts) == (1580, Parts(cash=790, gift=790))


def test_an_order_that_has_ended_no_longer_counts() -> None:
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1", paid(90_000)), starts_at=START, ends_at=BEGIN + 30 * DAY))
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at=BEGIN + 30 * DAY))
    s.give(renewal("o-3", line("i-1", paid(60_000)), starts_at=BEGIN + 30 * DAY + YEAR))
    assert returned(s.at(BEGIN + 30 * DAY + HOUR)).amount == 50_000 + 60_000 - 42


def test_a_renewals_use_is_counted_from_its_start() -> None:
    s = bought(terms=no_full_refunds())
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at=BEGIN + YEAR))
    assert returned(s.at(BEGIN + YEAR + 100 * HOUR)).amount == 50_000 - 4200


def test_at_the_instant_a_renewal_starts_it_runs_and_nothing_of_it_is_used() -> None:
    s = bought(terms=no_full_refunds())
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at=BEGIN + YEAR))
    refund = returned(s.at(BEGIN + YEAR))
    assert refund.amount == 50_000
    assert [one.step for one in refund.working] == [
        "paid",
        "time_used",
        "component_used",
        "value_used",
        "ordinary_return",
        "ratio_split",
        "refund",
    ]


def test_of_a_renewal_no_delivery_counts() -> None:
    """Decided again from a log in which a renewal was delivered later than it began."""
    s = bought()
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at=BEGIN + YEAR))
    order_given = instance(s).orders[-1]
    late = replace(order_given, delivered_at=order_given.starts_at + 50 * HOUR)
    found = value_used(late, order_given.starts_at + 100 * HOUR, "CNY", "Asia/Shanghai")
    assert found.exact == 4200


def test_the_use_is_valued_at_the_quotes_instant() -> None:
    s = bought(terms=no_full_refunds()).later(48 * HOUR)
    quote = quoted(s)
    s.later(15 * MINUTE)
    s.give(returning("i-1", quote.quote_id, quote.amount))
    assert issued(s).amount == 38_780


def test_support_without_a_quote_is_valued_at_the_act() -> None:
    s = bought(terms=no_full_refunds()).later(49 * HOUR)
    s.give(returning("i-1"), role=Role.SUPPORT)
    assert issued(s).amount == 40_796 - 49 * 42


def test_the_working_can_be_redone_by_hand() -> None:
    s = bought(paid(20_000, 20_796, 10_000), terms=no_full_refunds()).later(48 * HOUR)
    quote = quoted(s)
    assert quote.working == (
        WorkingStep(
            step="paid",
            inputs={
                "order": "o-1",
                "cash": "200.00 CNY",
                "gift": "207.96 CNY",
                "voucher_not_returned": "100.00 CNY",
            },
            result="407.96 CNY",
        ),
        WorkingStep(
            step="time_used",
            inputs={
                "order": "o-1",
                "used_from": "2026-01-05T08:00:00Z",
                "used_until": "2026-01-07T08:00:00Z",
            },
            result="0 months and 172800 seconds",
        ),
        WorkingStep(
            step="component_used",
            inputs={
                "component": "compute",
                "months": "0",
                "list_monthly": "51.00",
                "discount": "1",
                "seconds": "172800",
                "pay_as_you_go": "0 h: 0.42",
            },
            result="20.16",
        ),
        WorkingStep(step="value_used", inputs={"order": "o-1"}, result="20.16"),
        WorkingStep(
            step="ordinary_return",
            inputs={"paid": "407.96 CNY", "used": "20.16", "rounding": "half up, at least 0"},
            result="387.80 CNY",
        ),
        WorkingStep(
            step="ratio_split",
            inputs={
                "refund": "387.80 CNY",
                "paid_cash": "200.00 CNY",
                "paid_gift": "207.96 CNY",
                "rounding": "cash half up, gift the remainder",
            },
            result="cash 190.12 CNY, gift 197.68 CNY",
        ),
        WorkingStep(
            step="refund", inputs={"gross": "387.80 CNY", "fee": "0.00 CNY"}, result="387.80 CNY"
        ),
    )


@pytest.mark.parametrize(
    ("currency", "amount", "text"), [("JPY", 4_974, "4974 JPY"), ("KWD", 4_976, "4.976 KWD")]
)
def test_the_currencys_digits_are_kept(currency: str, amount: int, text: str) -> None:
    hourly = 13_000_000 if currency == "JPY" else 12_000  # 13 an hour; 0.012 an hour
    s = Scenario(terms=no_full_refunds()).opened(currency=currency)
    first = line("i-1", paid(5_000), component(hourly=hourly))
    s.give(order("o-1", first, starts_at=START, currency=currency))
    quote = quoted(s.later(2 * HOUR))
    assert (quote.amount, quote.working[-1].result) == (amount, text)


def test_a_fraction_of_a_unit_is_written_out_in_the_working() -> None:
    s = bought(terms=no_full_refunds()).later(SECOND)  # 0.42 / 3600 an hour
    steps = {step.step: step.result for step in quoted(s).working}
    assert steps["value_used"] == "7/600 minor units"
    s.later(29 * SECOND)
    steps = {step.step: step.result for step in quoted(s).working}
    assert steps["value_used"] == "0.00 and 0.35 minor units"


def test_a_ladder_by_hand() -> None:
    steps = (LadderStep(from_hours=0, hourly=500_000), LadderStep(from_hours=10, hourly=400_000))
    assert ladder(steps, 12 * 3600) == 5_800_000
    assert ladder(steps, 0) == 0
    assert ladder(steps, 10 * 3600) == 5_000_000


def test_orders_not_yet_begun_are_worth_all_that_was_paid() -> None:
    s = bought()
    s.give(renewal("o-2", line("i-1", paid(7, 8)), starts_at=BEGIN + YEAR))
    to_come = replace(instance(s), orders=instance(s).orders[1:])
    figures = prepaid_return(
        to_come,
        now=s.now,
        valued_at=s.now,
        full_quota_free=True,
        currency="CNY",
        terms=s.terms.at(s.now),
    )
    assert (figures.rule, figures.parts) == (RefundRule.ORDINARY_RETURN, Parts(cash=7, gift=8))


def test_before_its_delivery_nothing_of_an_instance_is_used() -> None:
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", starts_at=START, delivered_at=BEGIN + HOUR))
    for wait, seconds in ((0, 0), (HOUR, 0), (SECOND, 1)):
        quote = quoted(s.later(wait))
        (used_up,) = (step for step in quote.working if step.step == "time_used")
        assert used_up.result == f"0 months and {seconds} seconds"
        assert quote.amount == 40_796
