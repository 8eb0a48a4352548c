"""Remaining commitment: the prorated value, and of a monthly plan all later instalments."""

from __future__ import annotations

import pytest

from ledger.vocabulary.shapes import BillingPlan, CapUse
from ledger.vocabulary.shapes import WorkingStep as Step
from tests.ledger.rules.reservations.stories import MONTHLY, UPFRONT, bought, holding, quote, quoted
from tests.scenario import Scenario


def three_years(plan: BillingPlan) -> Scenario:
    s = holding(bought(360_000, months=36, starts_on="2025-04-01", plan=plan))
    return s.at("2026-04-16T12:00:00Z")


def test_after_12_instalments_and_15_of_30_days_2_350_are_cancelled() -> None:
    found = quoted(three_years(MONTHLY).when(quote()))
    assert found.amount == 5_000
    assert found.cap == CapUse(refund_usd=5_000, cancelled_commitment_usd=235_000, rate="1")
    assert found.working == (
        Step(
            step="days_remaining",
            inputs={
                "reservation": "r-1",
                "return_day": "2026-04-16",
                "period_starts_on": "2026-04-01",
                "period_ends_on": "2026-05-01",
                "instalment": "13 of 36",
            },
            result="15 of 30 days",
        ),
        Step(
            step="prorated_value",
            inputs={
                "paid": "100.00 USD",
                "quantity": "1",
                "original_quantity": "1",
                "remaining_days": "15",
                "days": "30",
                "rounding": "half up, once",
            },
            result="50.00 USD",
        ),
        Step(
            step="remaining_commitment",
            inputs={"value": "50.00 USD", "later_instalments": "2300.00 USD"},
            result="2350.00 USD",
        ),
        Step(
            step="termination_fee",
            inputs={"rate": "0", "prorated": "50.00 USD"},
            result="0.00 USD",
        ),
        Step(step="refund", inputs={"gross": "50.00 USD", "fee": "0.00 USD"}, result="50.00 USD"),
        Step(
            step="cap_use",
            inputs={
                "refund": "50.00 USD",
                "cancelled_instalments": "2300.00 USD",
                "usd_rate": "1",
                "rounding": "half up to the cent",
            },
            result="refund 50.00 USD, cancelled commitment 2350.00 USD",
        ),
        Step(
            step="refund_cap",
            inputs={
                "basis": "REFUND",
                "counts": "50.00 USD",
                "limit": "50000.00 USD",
                "consumed": "0.00 USD",
                "left_before": "50000.00 USD",
            },
            result="left 49950.00 USD",
        ),
    )


def test_paid_upfront_it_is_the_prorated_value() -> None:
    found = quoted(three_years(UPFRONT).when(quote()))
    assert found.cap is not None
    assert found.cap.cancelled_commitment_usd == found.cap.refund_usd == found.amount


def test_before_the_start_of_a_monthly_plan_all_of_it_remains() -> None:
    s = holding(bought(360_000, months=36, starts_on="2026-02-01", plan=MONTHLY)).when(quote())
    cap = quoted(s).cap
    assert cap == CapUse(refund_usd=10_000, cancelled_commitment_usd=360_000, rate="1")


def test_of_some_of_the_quantity_it_is_their_share_of_the_instalments_to_come() -> None:
    """Three for 3,600.00, 300.00 a month: of one 100.00 now, and 11 times 100.00 to come."""
    s = holding(bought(360_000, quantity=3, plan=MONTHLY)).when(quote(quantity=1))
    cap = quoted(s).cap
    assert cap == CapUse(refund_usd=10_000, cancelled_commitment_usd=120_000, rate="1")


def test_each_instalment_is_its_own_rounded_share_of_the_total() -> None:
    """10.00 in twelve: 0.83, then 1.67 less 0.83 is 0.84, then 2.50 less 1.67 is 0.83."""
    amounts = []
    for day in ("2026-01-05", "2026-02-05", "2026-03-05"):
        s = holding(bought(1_000, plan=MONTHLY)).at(f"{day}T00:00:00Z").when(quote())
        amounts.append(quoted(s).amount)
    assert amounts == [83, 84, 83]


@pytest.mark.parametrize(
    ("day", "value", "later"),
    [
        ("2026-11-05", 100, 100),
        ("2026-12-04T23:59:59.999999Z", 3, 100),
        ("2026-12-05", 100, 0),
        ("2027-01-04", 3, 0),
    ],
)
def test_in_the_last_instalment_none_is_left_to_come(day: str, value: int, later: int) -> None:
    """12.00 in twelve; the eleventh runs 30 days to 5 Dec, the twelfth 31 days to 5 Jan."""
    s = holding(bought(1_200, plan=MONTHLY)).at(day if "T" in day else f"{day}T00:00:00Z")
    cap = quoted(s.when(quote())).cap
    assert cap == CapUse(refund_usd=value, cancelled_commitment_usd=value + later, rate="1")
