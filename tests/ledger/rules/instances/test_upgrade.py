"""Upgrade: a larger configuration goes back by whole days; the order is valued up to it."""

from __future__ import annotations

import pytest

from ledger.terms.table import TermsTable, UpgradeUseUntil
from ledger.values.instants import DAY, HOUR, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import DestroyIsolatedInstance
from ledger.vocabulary.events import InstanceUpgraded
from ledger.vocabulary.shapes import Channel, Parts, RefundRule, Role, WorkingStep
from tests.bodies import YEAR, line, order, paid, renewal, returning, upgrade
from tests.ledger.rules.instances.acts import (
    act_on,
    binned,
    bought,
    instance,
    issued,
    no_full_refunds,
    quoted,
    returned,
    started,
)
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)
FIVE, ORDINARY = RefundRule.FIVE_DAYS_NO_REASON, RefundRule.ORDINARY_RETURN


def upgraded(*, terms: TermsTable | None = None, after: int = 12 * HOUR) -> Scenario:
    """407.96 for 365 days at 0.42 an hour, upgraded for 100.00 after 12 h; no full refund left."""
    s = bought(terms=no_full_refunds() if terms is None else terms)
    s.later(after).give(upgrade("u-1", at=BEGIN + after))
    return s


def test_an_upgrade_is_recorded_for_the_order_that_runs() -> None:
    s = bought().later(HOUR)
    command = upgrade("u-1", paid(1, 2, 3), at=BEGIN + HOUR)
    s.when(command).then(
        InstanceUpgraded(
            instance_id="i-1",
            upgrade_id="u-1",
            order_id="o-1",
            upgraded_at=BEGIN + HOUR,
            paid=paid(1, 2, 3),
            components=command.components,
            currency="CNY",
        )
    )
    s.again().then()


def test_the_use_is_valued_up_to_the_upgrade_and_the_upgrade_goes_back_by_days() -> None:
    quote = quoted(upgraded().at(BEGIN + 72 * HOUR))
    assert (quote.rule, quote.amount) == (ORDINARY, 50_210)
    assert quote.working[4:8] == (
        WorkingStep(
            step="own_use",
            inputs={
                "order": "o-1",
                "until_the_upgrade": "5.04",
                "until_the_return": "30.24",
                "counted_until": "UPGRADE",
            },
            result="5.04",
        ),
        WorkingStep(
            step="upgrade_left",
            inputs={
                "upgrade": "u-1",
                "order": "o-1",
                "cash": "100.00 CNY",
                "gift": "0.00 CNY",
                "voucher_not_returned": "0.00 CNY",
                "days": "365",
                "days_used": "3",
            },
            result="724000/73 minor units",
        ),
        WorkingStep(
            step="ordinary_return",
            inputs={
                "paid": "407.96 CNY",
                "upgrades_left": "724000/73 minor units",
                "used": "5.04",
                "rounding": "half up, at least 0",
            },
            result="502.10 CNY",
        ),
        WorkingStep(
            step="ratio_split",
            inputs={
                "refund": "502.10 CNY",
                "paid_cash": "507.96 CNY",
                "paid_gift": "0.00 CNY",
                "rounding": "cash half up, gift the remainder",
            },
            result="cash 502.10 CNY, gift 0.00 CNY",
        ),
    )


def test_the_terms_can_value_the_order_on_to_the_return() -> None:
    terms = no_full_refunds(upgrade_use_until=UpgradeUseUntil.RETURN)
    quote = quoted(upgraded(terms=terms).at(BEGIN + 72 * HOUR))
    assert quote.amount == 47_690
    (chosen,) = (one for one in quote.working if one.step == "own_use")
    assert (chosen.inputs["until_the_upgrade"], chosen.result) == ("5.04", "30.24")


@pytest.mark.parametrize(
    ("after", "days_used", "amount"),
    [
        (12 * HOUR, 1, 50_265),
        (DAY, 1, 50_265),
        (DAY + 1, 2, 50_237),
        (72 * HOUR, 3, 50_210),
        (72 * HOUR + 1, 4, 50_182),
        (YEAR - 1, 365, 40_292),
    ],
)
def test_a_begun_day_is_used(after: int, days_used: int, amount: int) -> None:
    quote = quoted(upgraded().at(BEGIN + after))
    (left,) = (one for one in quote.working if one.step == "upgrade_left")
    assert (left.inputs["days_used"], quote.amount) == (str(days_used), amount)


def test_of_several_upgrades_the_first_ends_the_valuation() -> None:
    """Recorded in another order than they happened: 407.96 − 5.04 + (100.00 + 73.00) × 362/365."""
    s = bought(terms=no_full_refunds()).later(60 * HOUR)
    s.give(upgrade("u-2", paid(0, 7_300), at=BEGIN + 60 * HOUR))
    s.give(upgrade("u-1", at=BEGIN + 12 * HOUR))
    refund = returned(s.at(BEGIN + 72 * HOUR))
    assert refund.amount == 40_292 + 17_158
    assert refund.parts == Parts(cash=50_231, gift=7_219)  # of 507.96 cash and 73.00 gift money


def test_an_upgrade_said_to_come_after_the_return_changes_no_use() -> None:
    s = bought(terms=no_full_refunds())
    s.give(upgrade("u-1", at=BEGIN + 10 * DAY))
    assert returned(s.at(BEGIN + 24 * HOUR)).amount == 40_796 - 1_008 + 9_973


def test_inside_the_five_days_it_goes_back_by_days_beside_the_whole_order() -> None:
    s = bought(paid(30_000, 10_796)).later(12 * HOUR)
    s.give(upgrade("u-1", paid(0, 10_000), at=s.now))
    quote = quoted(s.at(BEGIN + 72 * HOUR))
    assert (quote.rule, quote.amount) == (FIVE, 40_796 + 9_918)
    assert quote.parts == Parts(cash=30_000, gift=10_796 + 9_918)
    steps = [one.step for one in quote.working]
    assert steps == ["paid", "five_days_no_reason", "upgrade_left", "ratio_split", "refund"]
    act_on(s, quote)
    assert s.the_account().full_refunds_used == 1
    s.again().then()


def test_the_ratio_is_pooled_with_the_order() -> None:
    s = bought(paid(10_000, 0), terms=no_full_refunds())
    s.give(upgrade("u-1", paid(0, 10_000), at=START))
    refund = returned(s)
    assert (refund.amount, refund.parts) == (20_000, Parts(cash=10_000, gift=10_000))
    assert refund.gross == refund.amount


def test_an_upgrade_of_a_renewal_to_come_goes_back_whole() -> None:
    s = bought(terms=no_full_refunds())
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at=BEGIN + YEAR))
    s.give(upgrade("u-1", at=BEGIN + YEAR))
    assert [len(one.upgrades) for one in instance(s).orders] == [0, 1]
    assert returned(s.later(10 * HOUR)).amount == 40_796 - 420 + 50_000 + 10_000


def test_with_its_order_an_upgrade_ends() -> None:
    s = upgraded()
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at=BEGIN + YEAR))
    s.give(upgrade("u-2", at=BEGIN + YEAR + 12 * HOUR))
    refund = returned(s.at(BEGIN + YEAR + 72 * HOUR))
    assert refund.amount == 50_000 - 504 + 9_918


def test_of_an_order_of_less_than_a_day_the_only_day_is_used_when_it_begins() -> None:
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1"), starts_at=START, ends_at=BEGIN + HOUR))
    s.give(upgrade("u-1", at=START))
    assert quoted(s).amount == 40_796 + 10_000
    assert quoted(s.later(1)).amount == 40_796


def test_the_days_used_never_exceed_those_of_the_term() -> None:
    """Delivered ten days before the term begins: at its end there are more days than it has."""
    s = Scenario(terms=no_full_refunds()).opened()
    late = order(
        "o-1", line("i-1"), starts_at=BEGIN, ends_at=BEGIN + DAY, delivered_at=BEGIN - 10 * DAY
    )
    s.give(late)
    s.give(upgrade("u-1", at=BEGIN))
    (left,) = (one for one in quoted(s).working if one.step == "upgrade_left")
    assert (left.inputs["days"], left.inputs["days_used"], left.result) == ("1", "1", "0.00")


def test_a_use_worth_more_than_all_that_was_paid_leaves_nothing() -> None:
    s = bought(paid(100), terms=no_full_refunds()).later(DAY)
    s.give(upgrade("u-1", paid(365), at=s.now))
    assert returned(s).amount == 0  # 1.00 + 3.64 − 10.08


def test_the_fee_of_a_promotion_order_is_on_the_order_alone() -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=START, channel=Channel.PROMOTION))
    s.give(upgrade("u-1", at=START))
    s.give(returning("i-1"), role=Role.SUPPORT)
    refund = issued(s)
    assert (refund.gross, refund.fee) == (50_796, 10_199)


def test_the_upgrade_is_quoted_as_of_the_quotes_instant() -> None:
    s = upgraded().at(BEGIN + 72 * HOUR)
    quote = quoted(s)
    s.later(1)
    assert issued(act_on(s, quote)).amount == 50_210


def test_what_was_upgraded_between_quote_and_act_changes_the_quote() -> None:
    s = bought(terms=no_full_refunds())
    quote = quoted(s)
    s.give(upgrade("u-1", at=START))
    act_on(s, quote).refused(Code.QUOTE_CHANGED)


def test_what_does_not_run_is_not_upgraded() -> None:
    s = bought()
    returned(s)
    isolation_id = binned(s).isolation_id
    (violation,) = s.when(upgrade("u-1", at=START)).refused(Code.WRONG_STATE).violations
    assert violation.figures["state"] == "ISOLATED"
    s.again().then()
    s.later(7 * DAY).give(DestroyIsolatedInstance(instance_id="i-1", isolation_id=isolation_id))
    s.when(upgrade("u-2", at=START)).refused(Code.WRONG_STATE)


def test_what_is_paid_by_use_is_not_upgraded() -> None:
    s = started()
    (violation,) = s.when(upgrade("u-1", at=START)).refused(Code.WRONG_STATE).violations
    assert violation.figures["billing"] == "POSTPAID"


def test_an_order_must_run_when_it_is_upgraded() -> None:
    s = bought().later(HOUR)
    s.give(upgrade("u-1", at=BEGIN + YEAR - 1))
    assert [one.upgrade_id for one in instance(s).orders[0].upgrades] == ["u-1"]
    (violation,) = s.when(upgrade("u-2", at=BEGIN + YEAR)).refused(Code.WRONG_STATE).violations
    assert violation.figures["upgraded_at"] == "2027-01-05T08:00:00Z"


def test_of_another_account_there_is_no_such_instance() -> None:
    s = bought()
    s.when(upgrade("u-1", instance_id="i-of-another", at=START)).refused(Code.NOT_FOUND)
    s.account = "acct-2"
    s.opened()
    s.when(upgrade("u-1", at=START)).refused(Code.NOT_FOUND)


def test_an_upgrade_is_recorded_once_by_billing_in_the_accounts_currency() -> None:
    s = upgraded()
    (violation,) = s.when(upgrade("u-1", at=START)).refused(Code.ALREADY_EXISTS).violations
    assert violation.figures == {"upgrade": "u-1"}
    s.when(upgrade("u-2", at=START), role=Role.OWNER).refused(Code.FORBIDDEN)
    s.when(upgrade("u-2", at=START), role=Role.SUPPORT).refused(Code.FORBIDDEN)
    s.when(upgrade("u-2", at=START, currency="USD")).refused(Code.CURRENCY_MISMATCH)


def test_a_return_ends_it_with_the_order() -> None:
    s = upgraded()
    returned(s)
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at=s.now))
    assert [one.upgrades for one in instance(s).orders] == [()]
