"""Prorated value: whole days in UTC, over the term's or the instalment's actual days."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.calculations.prorated_value import Period, current_period, prorated_value
from ledger.state.entities import Reservation
from ledger.values.instants import add_months, format_day, parse_day
from ledger.vocabulary.shapes import BillingPlan
from tests.ledger.rules.reservations.stories import (
    BY_INVOICE,
    MONTHLY,
    UPFRONT,
    bought,
    holding,
    quote,
    quoted,
)


def held(
    starts_on: str, *, months: int = 12, total: int = 36_500, plan: BillingPlan = UPFRONT
) -> Reservation:
    start = parse_day(starts_on)
    return Reservation(
        product_type="VirtualMachines",
        sku="Standard_F1",
        region="eastus",
        original_quantity=1,
        quantity=1,
        term_months=months,
        starts_on=start,
        ends_on=add_months(start, months),
        total=total,
        billing_plan=plan,
        payment=BY_INVOICE,
        owners=("u-1",),
        purchased_at=0,
    )


def test_31_days_at_2_66_with_21_left_are_1_80() -> None:
    start = parse_day("2026-01-01")
    month = Period(number=1, paid=266, starts_on=start, ends_on=parse_day("2026-02-01"))
    assert month.remaining(parse_day("2026-01-11")) == 21
    assert prorated_value(month, 1, 1, parse_day("2026-01-11")) == 180


def test_on_the_last_day_one_of_365_days_remains() -> None:
    s = holding(bought(starts_on="2024-07-10")).at("2025-07-09T23:59:59.999999Z").when(quote())
    assert quoted(s).amount == 100
    assert quoted(s).working[0].result == "1 of 365 days"


def test_the_day_turns_at_midnight_in_utc() -> None:
    s = holding().at("2026-01-05T23:59:59.999999Z")
    assert quoted(s.when(quote())).amount == 36_500
    assert quoted(s.at("2026-01-06T00:00:00Z").when(quote())).amount == 36_400


def test_before_the_start_everything_remains() -> None:
    s = holding(bought(starts_on="2026-03-01")).when(quote())
    assert quoted(s).amount == 36_500
    assert quoted(s).working[0].result == "365 of 365 days"


@pytest.mark.parametrize(
    ("starts_on", "months", "days"),
    [
        ("2025-03-01", 12, 365),
        ("2027-03-01", 12, 366),
        ("2025-03-01", 36, 1096),
        ("2021-03-01", 36, 1096),
        ("2025-01-01", 36, 1095),
    ],
)
def test_a_term_has_its_actual_days(starts_on: str, months: int, days: int) -> None:
    assert current_period(held(starts_on, months=months), parse_day(starts_on)).days == days


def test_a_monthly_plan_prorates_the_running_instalment() -> None:
    reservation = held("2026-01-31", total=12_000, plan=MONTHLY)
    period = current_period(reservation, parse_day("2026-03-01"))
    assert (period.number, period.paid) == (2, 1_000)
    assert format_day(period.starts_on) == "2026-02-28"
    assert format_day(period.ends_on) == "2026-03-31"
    assert current_period(reservation, parse_day("2026-02-27")).number == 1
    assert current_period(reservation, parse_day("2027-01-30")).number == 12
    assert current_period(reservation, parse_day("2025-12-01")).number == 1


@settings(derandomize=True, deadline=None)
@given(start=st.integers(0, 40_000), months=st.sampled_from([12, 36]), total=st.integers(1, 10**9))
def test_instalments_follow_on_each_other_and_sum_to_the_total(
    start: int, months: int, total: int
) -> None:
    reservation = held(format_day(start), months=months, total=total, plan=MONTHLY)
    periods = [
        current_period(reservation, add_months(reservation.starts_on, k)) for k in range(months)
    ]
    assert [period.number for period in periods] == list(range(1, months + 1))
    assert sum(period.paid for period in periods) == total
    assert periods[0].starts_on == reservation.starts_on
    assert periods[-1].ends_on == reservation.ends_on
    assert all(a.ends_on == b.starts_on for a, b in pairwise(periods))


def test_from_the_end_of_a_period_on_none_of_its_days_remain() -> None:
    period = Period(number=1, paid=100, starts_on=10, ends_on=20)
    assert [period.remaining(day) for day in (9, 10, 19, 20, 21)] == [10, 10, 1, 0, 0]
