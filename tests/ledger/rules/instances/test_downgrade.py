"""Downgrade: return first, then buy a smaller configuration for the time left; it runs on."""

from __future__ import annotations

import pytest

from ledger.state.entities import InstanceStatus
from ledger.terms.table import TermsTable
from ledger.values.instants import DAY, HOUR, MINUTE, Instant, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import ExpireInstance, QuoteInstanceDowngrade
from ledger.vocabulary.events import (
    BalanceCredited,
    CommandRefused,
    InstanceDowngraded,
    InstanceDowngradeQuoted,
    RefundIssued,
    RefundSettled,
)
from ledger.vocabulary.shapes import (
    Channel,
    Parts,
    Posting,
    RefundRule,
    RefundSource,
    Role,
    Side,
    SourceKind,
    WorkingStep,
)
from tests.bodies import (
    YEAR,
    component,
    downgrading,
    line,
    order,
    paid,
    renewal,
    returning,
    smaller,
    upgrade,
)
from tests.ledger.rules.instances.acts import (
    bought,
    instance,
    issued,
    no_full_refunds,
    quoted,
    returned,
    settle,
    started,
)
from tests.ledger.rules.settlement.stories import correct
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)
TWO_MONTHS = parse_instant("2026-03-05T08:00:00Z")
AT_60 = smaller(component(list_monthly=60_000_000, hourly=420_000))
"""60.00 a month, at 0.88 from six months on."""


def bought_at_102(
    funds: tuple[int, int] = (91_592, 0), terms: TermsTable | None = None
) -> Scenario:
    """102.00 a month for twelve at 0.83, less a voucher of 100.00: 915.92 paid."""
    s = Scenario(terms=no_full_refunds() if terms is None else terms).opened()
    year = component(list_monthly=102_000_000, hourly=840_000)
    bought_line = line("i-1", paid(*funds, 10_000), year, discounts=((12, "0.83"),))
    s.give(order("o-1", bought_line, starts_at=START, ends_at="2027-01-05T08:00:00Z"))
    return s


def asked(
    s: Scenario, what: QuoteInstanceDowngrade = AT_60, *, role: Role | None = None
) -> InstanceDowngradeQuoted:
    """The quote of the downgrade."""
    (quote,) = s.give(what, role=role)
    assert isinstance(quote, InstanceDowngradeQuoted), quote
    return quote


def downgraded(
    s: Scenario, what: QuoteInstanceDowngrade = AT_60, *, role: Role | None = None
) -> RefundIssued:
    """Quotes the downgrade and acts on it at once; the refund."""
    quote = asked(s, what, role=role)
    s.give(downgrading(what, quote.quote_id, quote.amount), role=role)
    return issued(s)


def stepped(quote: InstanceDowngradeQuoted) -> dict[str, WorkingStep]:
    return {one.step: one for one in quote.working}


def test_after_two_months_183_92_come_back_and_it_runs_on() -> None:
    s = bought_at_102((50_000, 41_592)).at(TWO_MONTHS)
    quote = asked(s)
    assert (quote.rule, quote.gross, quote.fee) == (RefundRule.DOWNGRADE, 18_392, 0)
    s.when(downgrading(AT_60, quote.quote_id, quote.amount), id="c-1")
    refund_id = s.derived("refund")
    s.then(
        InstanceDowngraded(
            instance_id="i-1",
            order_id="o-1",
            refund_id=refund_id,
            downgraded_at=TWO_MONTHS,
            components=AT_60.components,
            duration_discounts=AT_60.duration_discounts,
            left=paid(28_824, 23_976),
            currency="CNY",
        ),
        RefundIssued(
            refund_id=refund_id,
            source=RefundSource(kind=SourceKind.INSTANCE, id="i-1"),
            rule=RefundRule.DOWNGRADE,
            gross=18_392,
            fee=0,
            amount=18_392,
            parts=Parts(cash=10_040, gift=8_352),
            quote_id=quote.quote_id,
            working=quote.working,
            postings=(
                Posting(transaction=1, account="refunds", side=Side.DEBIT, amount=18_392),
                Posting(transaction=1, account="refund_payable", side=Side.CREDIT, amount=18_392),
            ),
            currency="CNY",
        ),
    )
    s.again().then()
    assert instance(s).status is InstanceStatus.RUNNING
    assert (s.the_account().ordinary_returns_used, s.the_account().full_refunds_used) == (0, 0)


def test_the_working_can_be_redone_by_hand() -> None:
    quote = asked(bought_at_102().at(TWO_MONTHS))
    assert [one.step for one in quote.working] == [
        "paid",
        "time_used",
        "component_used",
        "value_used",
        "time_left",
        "component_price",
        "new_price",
        "downgrade",
        "ratio_split",
        "left_as_paid",
        "refund",
    ]
    assert quote.working[4:8] == (
        WorkingStep(
            step="time_left",
            inputs={"left_from": "2026-03-05T08:00:00Z", "left_until": "2027-01-05T08:00:00Z"},
            result="10 months",
        ),
        WorkingStep(
            step="component_price",
            inputs={
                "component": "compute",
                "months": "10",
                "discount": "0.88",
                "list_monthly": "60.00",
            },
            result="528.00",
        ),
        WorkingStep(step="new_price", inputs={}, result="528.00"),
        WorkingStep(
            step="downgrade",
            inputs={
                "ordinary_return": "711.92",
                "new_price": "528.00",
                "rounding": "half up, at least 0",
            },
            result="183.92 CNY",
        ),
    )
    assert quote.working[9] == WorkingStep(
        step="left_as_paid",
        inputs={"ordinary_return": "711.92 CNY", "refund": "183.92 CNY"},
        result="cash 528.00 CNY, gift 0.00 CNY",
    )


def test_the_refund_goes_to_the_balance() -> None:
    s = bought_at_102().at(TWO_MONTHS)
    refund = downgraded(s)
    credited, settled = settle(s, refund).outcome
    assert isinstance(credited, BalanceCredited)
    assert (credited.cash, credited.gift) == (18_392, 0)
    assert isinstance(settled, RefundSettled)


@pytest.mark.parametrize(
    ("at", "left", "price"),
    [
        (TWO_MONTHS, "10 months", "528.00"),
        (TWO_MONTHS + 1, "306 days", "612.00"),
        (TWO_MONTHS - 1, "307 days", "614.00"),
        (parse_instant("2026-12-05T08:00:00Z"), "1 months", "60.00"),
        (parse_instant("2027-01-05T07:59:59.999999Z"), "1 days", "2.00"),
        (parse_instant("2026-07-05T08:00:00Z"), "6 months", "316.80"),
        (parse_instant("2026-08-05T08:00:00Z"), "5 months", "300.00"),
        (BEGIN, "12 months", "633.60"),
        (BEGIN - 9 * DAY, "12 months", "633.60"),
    ],
)
def test_whole_months_have_a_discount_and_days_have_none(
    at: Instant, left: str, price: str
) -> None:
    steps = stepped(asked(bought_at_102().at(at)))
    assert (steps["time_left"].result, steps["new_price"].result) == (left, price)


def test_months_left_are_those_of_shanghai() -> None:
    """From 31 January 00:00 there to 28 February 00:00 there is a month, clipped."""
    s = Scenario(terms=no_full_refunds()).opened()
    start, end = "2026-01-30T16:00:00Z", "2026-02-27T16:00:00Z"
    s.give(order("o-1", line("i-1", paid(90_000)), starts_at=start, ends_at=end))
    assert stepped(asked(s.at(start)))["time_left"].result == "1 months"


def test_components_are_added_exactly_and_rounded_once_with_the_refund() -> None:
    """100 days at 0.01 and 0.02 a month: 100 × 0.03 / 30 = 0.10; each alone would be rounded."""
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1", paid(1_000)), starts_at=START, ends_at=BEGIN + 100 * DAY))
    what = smaller(component("a", list_monthly=10_000), component("b", list_monthly=20_000))
    quote = asked(s, what)
    prices = [one.result for one in quote.working if one.step == "component_price"]
    assert prices == ["10/3 minor units", "20/3 minor units"]
    assert quote.amount == 990


def test_a_half_of_a_unit_is_rounded_up_once() -> None:
    """0.015 for a month of days: 10.00 − 0.015 = 9.985 → 9.99, and 0.01 is left."""
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1", paid(1_000)), starts_at=START, ends_at=BEGIN + 30 * DAY))
    refund = downgraded(s, smaller(component(list_monthly=15_000)))
    assert (refund.amount, instance(s).orders[0].line.paid) == (999, paid(1))


def test_a_downgrade_that_costs_more_gives_nothing_and_the_figures_show_it() -> None:
    s = bought_at_102().at(TWO_MONTHS)
    dear = smaller(component(list_monthly=500_000_000))
    quote = asked(s, dear)
    assert (quote.amount, quote.parts) == (0, Parts(cash=0, gift=0))
    assert stepped(quote)["downgrade"].inputs["new_price"] == "4400.00"
    s.give(downgrading(dear, quote.quote_id, 0))
    names = [type(body).__name__ for body in s.outcome]
    assert names == ["InstanceDowngraded", "RefundIssued", "RefundSettled"]
    assert issued(s).postings == ()
    (running,) = instance(s).orders
    assert (running.line.paid, running.line.components) == (paid(71_192), dear.components)
    s.again().then()


def test_a_use_worth_more_than_paid_leaves_nothing_to_buy_with() -> None:
    s = bought(paid(1_000), terms=no_full_refunds()).later(300 * DAY)
    refund = downgraded(s)
    assert (refund.amount, instance(s).orders[0].line.paid) == (0, paid(0))
    (less,) = (one for one in refund.working if one.step == "downgrade")
    assert less.inputs["ordinary_return"] == "0.00"


def test_a_later_return_gives_what_is_left_less_the_use_since_at_the_new_prices() -> None:
    s = bought_at_102((50_000, 41_592)).at(TWO_MONTHS)
    downgraded(s)
    refund = returned(s.later(48 * HOUR))
    assert refund.rule is RefundRule.ORDINARY_RETURN
    assert (refund.amount, refund.parts) == (52_800 - 48 * 42, Parts(cash=27_723, gift=23_061))
    assert (refund.working[0].step, refund.working[0].inputs["downgraded_at"]) == (
        "left_after_downgrade",
        "2026-03-05T08:00:00Z",
    )


def test_returned_at_once_both_refunds_are_what_a_return_gives() -> None:
    s = bought_at_102((33_333, 58_259)).at(TWO_MONTHS)
    whole = quoted(s)
    first, second = downgraded(s), returned(s)
    assert first.amount + second.amount == whole.amount
    cash = (first.parts.cash or 0) + (second.parts.cash or 0)
    assert cash == whole.parts.cash if whole.parts else None


def test_before_any_use_no_fund_gives_more_than_was_paid_in_it() -> None:
    """Three of 0.01 in cash and gift money each: half up of each part alone would be 0.02 cash."""
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1", paid(1, 1)), starts_at=START, ends_at=BEGIN + 30 * DAY))
    first = downgraded(s, smaller(component(list_monthly=10_000)))
    assert first.parts == Parts(cash=1, gift=0)
    assert returned(s).parts == Parts(cash=0, gift=1)


def test_one_can_go_down_again() -> None:
    s = bought_at_102().at(TWO_MONTHS)
    downgraded(s)
    refund = downgraded(s.at("2026-04-05T08:00:00Z"), smaller(component(list_monthly=30_000_000)))
    assert refund.amount == 52_800 - 6_000 - 23_760  # 9 × 30.00 × 0.88
    assert instance(s).orders[0].line.paid == paid(23_760)


def test_inside_the_five_days_it_is_by_use_and_a_return_then_gives_all_that_is_left() -> None:
    s = bought().later(DAY)
    assert downgraded(s, smaller()).amount == 40_796 - 1_008 - 30_940  # 364 days at 25.50 / 30
    refund = returned(s.later(DAY))
    assert (refund.rule, refund.amount) == (RefundRule.FIVE_DAYS_NO_REASON, 30_940)


def test_a_renewal_not_started_stays_as_it_is() -> None:
    s = bought_at_102()
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at="2027-01-05T08:00:00Z"))
    assert downgraded(s.at(TWO_MONTHS)).amount == 18_392
    assert [one.line.paid for one in instance(s).orders] == [paid(52_800), paid(50_000)]
    assert returned(s).amount == 52_800 + 50_000


def test_an_upgrade_is_a_part_of_what_a_return_would_give_and_of_what_is_left() -> None:
    s = bought(terms=no_full_refunds()).later(12 * HOUR)
    s.give(upgrade("u-1", paid(0, 10_000), at=s.now))
    s.at(BEGIN + 72 * HOUR)
    whole = quoted(s).amount
    assert whole == 50_210
    refund = downgraded(s, smaller())
    assert refund.amount == 50_210 - 30_770  # 362 days at 25.50 / 30
    (running,) = instance(s).orders
    assert running.upgrades == ()
    assert running.line.paid.cash + running.line.paid.gift == 30_770
    assert returned(s.later(10 * HOUR)).amount == 30_770 - 210


def test_an_upgrade_after_a_downgrade_ends_the_valuation_and_one_told_late_does_not() -> None:
    s = bought(terms=no_full_refunds()).later(48 * HOUR)
    downgraded(s, smaller())
    left = instance(s).orders[0].line.paid.cash
    s.give(upgrade("u-1", at=BEGIN + 12 * HOUR))
    assert quoted(s.at(BEGIN + 72 * HOUR)).amount == left - 24 * 21 + 9_918
    s.give(upgrade("u-2", at=BEGIN + 60 * HOUR))
    assert quoted(s).amount == left - 12 * 21 + 2 * 9_918


def test_an_upgrade_at_the_instant_of_a_downgrade_ends_the_valuation() -> None:
    s = bought(terms=no_full_refunds()).later(48 * HOUR)
    downgraded(s, smaller())
    left = instance(s).orders[0].line.paid.cash
    s.give(upgrade("u-1", at=s.now))
    assert quoted(s.later(24 * HOUR)).amount == left + 9_918


def test_before_the_delivery_nothing_is_used_after_a_downgrade_either() -> None:
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1"), starts_at=START, delivered_at=BEGIN + 10 * HOUR))
    downgraded(s, smaller())
    left = instance(s).orders[0].line.paid.cash
    assert quoted(s.at(BEGIN + 11 * HOUR)).amount == left - 21


def test_a_corrected_downgrade_counts_as_paid_again() -> None:
    s = bought_at_102((50_000, 41_592)).at(TWO_MONTHS)
    refund = downgraded(s)
    s.give(correct(refund.refund_id))
    (running,) = instance(s).orders
    assert running.line.paid == paid(28_824 + 10_040, 23_976 + 8_352)
    assert running.line.components == AT_60.components
    assert returned(s).amount == 71_192


def test_a_correction_of_another_refund_leaves_the_order_alone() -> None:
    s = bought_at_102().at(TWO_MONTHS)
    first = downgraded(s)
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at="2027-01-05T08:00:00Z"))
    s.give(correct(first.refund_id))
    assert [one.line.paid for one in instance(s).orders] == [paid(71_192), paid(50_000)]
    second = returned(s)
    s.give(renewal("o-3", line("i-1", paid(7)), starts_at=s.now))
    s.give(correct(second.refund_id))
    assert [one.line.paid for one in instance(s).orders] == [paid(7)]


def test_a_promotion_order_is_downgraded_by_support_for_the_fee() -> None:
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", starts_at=START, channel=Channel.PROMOTION))
    quote = asked(s, smaller())
    assert [one.code for one in quote.violations] == [Code.SELF_SERVICE_NOT_SUPPORTED]
    s.when(downgrading(smaller(), quote.quote_id, quote.amount)).refused(
        Code.SELF_SERVICE_NOT_SUPPORTED
    )
    s.again().then()
    refund = downgraded(s, smaller(), role=Role.SUPPORT)
    assert (refund.gross, refund.fee, refund.amount) == (13_868, 10_199, 3_669)
    assert instance(s).orders[0].line.paid == paid(40_796 - 13_868)
    s.give(correct(refund.refund_id))
    assert instance(s).orders[0].line.paid == paid(40_796)


def test_a_promotion_renewal_to_come_is_no_obstacle() -> None:
    s = bought()
    later = line("i-1", paid(50_000))
    s.give(renewal("o-2", later, starts_at=BEGIN + YEAR, channel=Channel.PROMOTION))
    assert asked(s, smaller()).violations == ()
    s.at(BEGIN + YEAR)
    assert [one.code for one in asked(s, smaller()).violations] == [Code.SELF_SERVICE_NOT_SUPPORTED]


def test_no_quota_is_needed() -> None:
    s = bought_at_102(terms=no_full_refunds(ordinary_returns_per_account=0)).at(TWO_MONTHS)
    assert downgraded(s).amount == 18_392


def test_use_and_time_left_are_those_of_the_quotes_instant() -> None:
    s = bought_at_102().at(TWO_MONTHS)
    quote = asked(s)
    s.later(15 * MINUTE)
    s.give(downgrading(AT_60, quote.quote_id, quote.amount))
    assert issued(s).amount == 18_392
    assert instance(s).orders[0].downgraded_at == TWO_MONTHS + 15 * MINUTE


def test_a_quote_holds_for_its_quarter_of_an_hour_and_once() -> None:
    s = bought_at_102().at(TWO_MONTHS)
    quote = asked(s)
    act = downgrading(AT_60, quote.quote_id, quote.amount)
    s.later(15 * MINUTE + 1).when(act).refused(Code.QUOTE_EXPIRED)
    again = asked(s.at(TWO_MONTHS))
    s.give(downgrading(AT_60, again.quote_id, again.amount))
    codes = (Code.QUOTE_USED, Code.QUOTE_CHANGED)
    s.when(downgrading(AT_60, again.quote_id, again.amount)).refused(*codes)


def test_an_owner_acts_on_a_quote_and_agrees() -> None:
    s = bought_at_102().at(TWO_MONTHS)
    without = downgrading(AT_60, acknowledged=False)
    s.when(without).refused(Code.QUOTE_REQUIRED, Code.NOT_ACKNOWLEDGED)
    s.when(downgrading(AT_60), role=Role.BILLING).refused(Code.FORBIDDEN)
    s.when(downgrading(AT_60, "q-9")).refused(Code.NOT_FOUND)
    s.give(downgrading(AT_60), role=Role.SUPPORT)
    assert issued(s).amount == 18_392


@pytest.mark.parametrize(
    ("other", "now"),
    [
        (smaller(component(list_monthly=60_000_001, hourly=420_000)), "60.000001 a month"),
        (smaller(component(list_monthly=60_000_000, hourly=420_001)), "0 h: 0.420001"),
        (smaller(component("ip", list_monthly=60_000_000, hourly=420_000)), "ip at"),
        (smaller(*AT_60.components, discounts=((5, "0.88"),)), "0.88 from 5 months"),
        (smaller(*AT_60.components, discounts=((6, "0.87"),)), "0.87 from 6 months"),
    ],
)
def test_another_configuration_than_the_quoted_one_is_refused(
    other: QuoteInstanceDowngrade, now: str
) -> None:
    s = bought_at_102().at(TWO_MONTHS)
    quote = asked(s)
    s.when(downgrading(other, quote.quote_id, quote.amount))
    (violation,) = s.refused(Code.QUOTE_CHANGED).violations
    assert violation.figures["configuration_quoted"] == (
        "compute at 60.00 a month, by the hour 0 h: 0.42; 0.88 from 6 months"
    )
    assert now in violation.figures["configuration_now"]


def test_the_same_factor_written_otherwise_is_the_same_configuration() -> None:
    s = bought_at_102().at(TWO_MONTHS)
    quote = asked(s)
    same = smaller(*AT_60.components, discounts=((6, "0.880"),))
    s.give(downgrading(same, quote.quote_id, quote.amount))
    assert issued(s).amount == 18_392


def test_a_quote_is_for_the_act_it_was_asked_for() -> None:
    s = bought_at_102().at(TWO_MONTHS)
    quote, of_return = asked(s), quoted(s)
    s.when(returning("i-1", quote.quote_id, of_return.amount))
    (violation,) = s.refused(Code.QUOTE_CHANGED).violations
    assert violation.figures["instance_quoted"] == "INSTANCE_DOWNGRADE"
    s.when(downgrading(AT_60, of_return.quote_id, quote.amount))
    (violation,) = s.refused(Code.QUOTE_CHANGED).violations
    assert violation.figures["instance_quoted"] == "INSTANCE_RETURN"


def test_what_does_not_run_or_is_paid_by_use_is_not_downgraded() -> None:
    s = bought()
    returned(s)
    for command in (smaller(), downgrading(smaller())):
        (violation,) = s.when(command).refused(Code.WRONG_STATE).violations
        assert violation.figures["state"] == "ISOLATED"
    (violation,) = started().when(smaller()).refused(Code.WRONG_STATE).violations
    assert violation.figures["billing"] == "POSTPAID"


def test_at_its_expiry_nothing_is_downgraded_any_more() -> None:
    s = bought().at(BEGIN + YEAR)
    s.when(smaller()).refused(Code.ALREADY_EXPIRED)
    s.when(downgrading(smaller())).refused(Code.ALREADY_EXPIRED)
    s.give(ExpireInstance(instance_id="i-1", order_id="o-1"))
    s.when(smaller()).refused(Code.ALREADY_EXPIRED)


def test_it_is_of_this_account_in_its_currency() -> None:
    s = bought()
    s.when(smaller(instance_id="i-9")).refused(Code.NOT_FOUND)
    quote = asked(s, smaller(currency="USD"))
    assert [one.code for one in quote.violations] == [Code.CURRENCY_MISMATCH]
    s.account = "acct-2"
    s.opened()
    (refused,) = s.give(smaller())
    assert isinstance(refused, CommandRefused)
