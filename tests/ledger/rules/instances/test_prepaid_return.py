"""Prepaid return: refund settled, instance in the bin for 168 hours; never after its expiry."""

from __future__ import annotations

from ledger.postings import refund_issued
from ledger.values.instants import DAY, HOUR, MINUTE, format_instant, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import DestroyIsolatedInstance, ExpireInstance, QuoteInstanceReturn
from ledger.vocabulary.events import InstanceIsolated, InstanceReturnQuoted, RefundIssued
from ledger.vocabulary.shapes import (
    IsolationReason,
    Parts,
    RefundRule,
    RefundSource,
    Role,
    SourceKind,
    WorkingStep,
)
from tests.bodies import YEAR, line, order, paid, postpaid, renewal, returning
from tests.ledger.rules.instances.acts import (
    act_on,
    bought,
    instance,
    isolation,
    issued,
    no_full_refunds,
    quoted,
    returned,
)
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)

FULL_WORKING = (
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
        step="five_days_no_reason",
        inputs={
            "order": "o-1",
            "delivered_at": "2026-01-05T08:00:00Z",
            "returned_at": "2026-01-07T08:00:00Z",
            "within": "120 hours",
        },
        result="407.96 CNY",
    ),
    WorkingStep(
        step="refund", inputs={"gross": "407.96 CNY", "fee": "0.00 CNY"}, result="407.96 CNY"
    ),
)


def test_a_quote_is_the_decision_without_its_consequences() -> None:
    s = bought(paid(20_000, 20_796, 10_000)).later(2 * DAY)
    before = instance(s)
    s.when(QuoteInstanceReturn(instance_id="i-1")).then(
        InstanceReturnQuoted(
            quote_id=s.derived("quote"),
            instance_id="i-1",
            expires_at=s.now + 15 * MINUTE,
            rule=RefundRule.FIVE_DAYS_NO_REASON,
            gross=40_796,
            fee=0,
            amount=40_796,
            parts=Parts(cash=20_000, gift=20_796),
            working=FULL_WORKING,
            currency="CNY",
        )
    )
    assert instance(s) == before
    assert s.the_account().full_refunds_used == 0


def test_a_return_isolates_the_instance_and_owes_the_refund() -> None:
    s = bought(paid(20_000, 20_796, 10_000)).later(2 * DAY)
    quote = quoted(s)
    act_on(s, quote).then(
        InstanceIsolated(
            instance_id="i-1",
            isolation_id=s.derived("isolation"),
            reason=IsolationReason.RETURNED,
            isolated_at=s.now,
            restore_until=s.now + 168 * HOUR,
            charges_stopped_at=s.now,
        ),
        RefundIssued(
            refund_id=s.derived("refund"),
            source=RefundSource(kind=SourceKind.INSTANCE, id="i-1"),
            rule=RefundRule.FIVE_DAYS_NO_REASON,
            gross=40_796,
            fee=0,
            amount=40_796,
            parts=Parts(cash=20_000, gift=20_796),
            quota_spent=True,
            quote_id=quote.quote_id,
            working=FULL_WORKING,
            postings=refund_issued(40_796, 0),
            currency="CNY",
        ),
    )


def test_a_return_ends_all_orders_of_the_instance() -> None:
    s = bought()
    s.give(renewal("o-2", line("i-1"), starts_at=BEGIN + YEAR))
    returned(s)
    assert instance(s).orders == ()
    end = ExpireInstance(instance_id="i-1", order_id="o-2")
    s.at(BEGIN + 2 * YEAR).when(end).refused(Code.WRONG_STATE)


def test_a_redelivered_return_is_quiet() -> None:
    s = bought()
    quote = quoted(s)
    command = returning("i-1", quote.quote_id, quote.amount)
    s.give(command, id="c-7")
    s.later(DAY).when(command, id="c-7").then()


def test_the_last_microsecond_before_expiry_is_in_time() -> None:
    s = bought().at(BEGIN + YEAR - 1)
    assert returned(s).rule is RefundRule.ORDINARY_RETURN


def test_at_expiry_sharp_nothing_is_left_to_be_returned() -> None:
    s = bought().at(BEGIN + YEAR)
    for command in (QuoteInstanceReturn(instance_id="i-1"), returning()):
        refusal = s.when(command, role=Role.SUPPORT).refused(Code.ALREADY_EXPIRED)
        assert refusal.violations[0].figures == {
            "instance": "i-1",
            "expired_at": format_instant(BEGIN + YEAR),
            "now": format_instant(BEGIN + YEAR),
        }


def test_what_expired_stays_expired_in_the_bin_and_after_it() -> None:
    s = bought().at(BEGIN + YEAR)
    s.give(ExpireInstance(instance_id="i-1", order_id="o-1"))
    s.when(returning(), role=Role.SUPPORT).refused(Code.ALREADY_EXPIRED)
    bin_id = isolation(s).isolation_id
    s.later(7 * DAY)
    s.give(DestroyIsolatedInstance(instance_id="i-1", isolation_id=bin_id))
    s.when(returning(), role=Role.SUPPORT).refused(Code.ALREADY_EXPIRED)


def test_the_expiry_is_that_of_the_last_renewal() -> None:
    s = bought()
    s.give(renewal("o-2", line("i-1"), starts_at=BEGIN + YEAR))
    assert returned(s.at(BEGIN + YEAR)).gross > 0


def test_an_instance_in_the_bin_is_not_returned_again() -> None:
    s = bought()
    returned(s)
    refusal = s.when(returning(), role=Role.SUPPORT).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures == {
        "instance": "i-1",
        "state": "ISOLATED",
        "billing": "PREPAID",
    }


def test_an_instance_paid_by_use_is_not_returned() -> None:
    s = Scenario().opened()
    s.give(postpaid("i-1"))
    refusal = s.when(returning()).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures["billing"] == "POSTPAID"


def test_each_instance_of_an_order_is_returned_alone() -> None:
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1", paid(100)), line("i-2", paid(200)), starts_at=START))
    assert returned(s, "i-1").amount == 100
    assert returned(s, "i-2").amount == 200


def test_a_refund_of_nothing_is_settled_at_once_and_posts_nothing() -> None:
    s = bought(paid(voucher=50_000))
    s.when(returning(), role=Role.SUPPORT)
    refund = issued(s)
    assert [type(body).__name__ for body in s.outcome] == [
        "InstanceIsolated",
        "RefundIssued",
        "RefundSettled",
    ]
    assert (refund.gross, refund.amount, refund.postings) == (0, 0, ())
    assert refund.parts == Parts(cash=0, gift=0)
    assert refund.quota_spent
