"""Manual refund: an agreed amount by ticket, never more than is left, in total and by fund."""

from __future__ import annotations

import pytest

from ledger.postings import refund_issued
from ledger.values.refusal import Code
from ledger.vocabulary.events import AccessRevoked, RefundIssued
from ledger.vocabulary.shapes import (
    Funds,
    Parts,
    ProductKind,
    RefundRule,
    RefundSource,
    Role,
    SourceKind,
)
from ledger.vocabulary.shapes import WorkingStep as Step
from tests.bodies import paid
from tests.ledger.rules.marketplace.stories import bought, names, the_refund, ticket
from tests.ledger.rules.settlement.stories import correct
from tests.scenario import Scenario


def test_support_refunds_what_was_agreed() -> None:
    s = bought(ProductKind.IMAGE)
    s.when(ticket(10_000)).then(
        RefundIssued(
            refund_id=s.derived("refund"),
            source=RefundSource(kind=SourceKind.MARKETPLACE, id="p-1"),
            rule=RefundRule.MARKETPLACE_MANUAL,
            gross=10_000,
            fee=0,
            amount=10_000,
            parts=Parts(cash=6_667, gift=3_333),
            ticket="t-1",
            working=(
                Step(
                    step="manual_refund",
                    inputs={
                        "ticket": "t-1",
                        "agreed": "100.00 CNY",
                        "paid_cash": "200.00 CNY",
                        "paid_gift": "100.00 CNY",
                        "refunded_before": "0.00 CNY",
                        "refunded_cash_before": "0.00 CNY",
                        "rounding": "cash of all refunds so far half up, less the cash before; "
                        "gift the remainder",
                    },
                    result="cash 66.67 CNY, gift 33.33 CNY",
                ),
            ),
            postings=refund_issued(10_000, 0),
            currency="CNY",
        ),
        AccessRevoked(purchase_id="p-1", buyer_id="u-1"),
    )


def test_small_refunds_never_overpay_a_fund() -> None:
    s = bought(funds=paid(100, 200))
    parts = [the_refund(s.when(ticket(1))).parts for _ in range(3)]
    assert [(part.cash, part.gift) for part in parts] == [(0, 1), (1, 0), (0, 1)]


def test_exactly_what_is_left_is_accepted() -> None:
    s = bought().when(ticket(12_000))
    assert names(s.when(ticket(18_000))) == ["RefundIssued"]
    assert _refunded(s) == (20_000, 10_000)


def test_a_cent_more_is_refused() -> None:
    refusal = bought().when(ticket(12_000)).when(ticket(18_001)).refused(Code.EXCEEDS_PAID)
    assert refusal.violations[0].rule == "manual_refund"
    assert refusal.violations[0].figures == {
        "amount": "180.01",
        "paid": "300.00",
        "refunded": "120.00",
        "left": "180.00",
    }


@pytest.mark.parametrize("amount", [0, 1])
def test_of_nothing_paid_nothing_is_refunded(amount: int) -> None:
    bought(funds=paid(voucher=100)).when(ticket(amount)).refused(Code.EXCEEDS_PAID)


def test_nothing_is_no_amount_to_agree_on() -> None:
    bought().when(ticket(0)).refused(Code.EXCEEDS_PAID)


def test_only_support_may() -> None:
    bought().when(ticket(100), role=Role.BUYER).refused(Code.FORBIDDEN)


def test_another_currency_is_refused_beside_the_amount() -> None:
    s = bought().when(ticket(30_001, currency="USD"))
    s.refused(Code.CURRENCY_MISMATCH, Code.EXCEEDS_PAID)


def test_a_redelivery_stays_quiet() -> None:
    s = bought()
    s.give(ticket(20_000), id="c-1")
    s.when(ticket(20_000), id="c-1").then()
    assert _refunded(s) == (13_333, 6_667)


def test_the_working_says_what_was_refunded_before() -> None:
    s = bought(ProductKind.API, paid(10_000, 20_000))
    s.give(ticket(3_000))
    (step,) = the_refund(s.when(ticket(600))).working
    assert step.inputs["refunded_before"] == "30.00 CNY"
    assert step.inputs["refunded_cash_before"] == "10.00 CNY"
    assert step.result == "cash 2.00 CNY, gift 4.00 CNY"


@pytest.mark.parametrize(
    ("funds", "parts"),
    [
        # A tenth is cash: of five times 0.01 the fifth. It alone counts: cash would be −0.01 next.
        (paid(1, 9), (0, 1)),
        # A tenth is gift money: of six times 0.01 the sixth. Cash would be 0.02 next, of 0.01.
        (paid(9, 1), (1, 0)),
    ],
)
def test_once_others_are_corrected_no_fund_is_paid_below_nothing_or_above_the_amount(
    funds: Funds, parts: tuple[int, int]
) -> None:
    s = bought(ProductKind.API, funds)
    refunds = [the_refund(s.when(ticket(1))) for _ in range(5 if funds.cash == 1 else 6)]
    for one in refunds[:-1]:
        s.give(correct(one.refund_id))
    found = the_refund(s.when(ticket(1))).parts
    assert (found.cash, found.gift) == parts
    left = the_refund(s.when(ticket(8))).parts
    assert (left.cash, left.gift) == (funds.cash - 1, funds.gift - 1)


def _refunded(s: Scenario) -> tuple[int, int]:
    issued = [event.body for event in s.recorded if isinstance(event.body, RefundIssued)]
    return sum(r.parts.cash or 0 for r in issued), sum(r.parts.gift or 0 for r in issued)
