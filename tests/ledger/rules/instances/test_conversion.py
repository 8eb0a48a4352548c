"""Conversion: a running instance paid by use becomes prepaid."""

from __future__ import annotations

from ledger.state.entities import Billing
from ledger.values.instants import DAY, HOUR, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    DestroyPostpaidInstance,
    ExpireInstance,
    RestoreInstance,
    TakeInstanceOffline,
)
from ledger.vocabulary.events import InstanceOrderRecorded
from ledger.vocabulary.shapes import OrderKind, RefundRule, Role
from tests.bodies import (
    YEAR,
    conversion,
    downgrading,
    line,
    order,
    paid,
    postpaid,
    renewal,
    smaller,
)
from tests.ledger.rules.instances.acts import bought, instance, isolation, issued, returned, started
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)
DESTROY = DestroyPostpaidInstance(instance_id="i-1", acknowledged=True)


def converted() -> Scenario:
    """i-1 was paid by use and is prepaid for 365 days since START."""
    s = started()
    s.give(conversion("o-1", line("i-1"), starts_at=START))
    return s


def test_what_is_paid_by_use_becomes_prepaid() -> None:
    s = started()
    command = conversion("o-1", line("i-1"), starts_at=START)
    s.when(command).then(
        InstanceOrderRecorded(
            order_id="o-1",
            kind=OrderKind.CONVERSION,
            channel=command.channel,
            starts_at=BEGIN,
            ends_at=BEGIN + YEAR,
            delivered_at=BEGIN,
            lines=command.lines,
            currency="CNY",
        )
    )
    assert instance(s).billing is Billing.PREPAID
    s.again().then()


def test_it_is_returned_by_its_use_and_never_by_the_five_days() -> None:
    refund = returned(converted().later(48 * HOUR))
    assert (refund.rule, refund.amount) == (RefundRule.ORDINARY_RETURN, 38_780)


def test_before_it_begins_nothing_of_it_is_used() -> None:
    s = started()
    s.give(conversion("o-1", line("i-1"), starts_at=BEGIN + DAY))
    refund = returned(s.later(HOUR))
    assert (refund.rule, refund.amount) == (RefundRule.ORDINARY_RETURN, 40_796)


def test_before_it_begins_it_can_be_made_smaller_for_its_whole_term() -> None:
    s = started()
    end = "2026-04-05T08:00:00Z"
    s.give(conversion("o-1", line("i-1"), starts_at="2026-02-05T08:00:00Z", ends_at=end))
    s.give(downgrading(smaller()), role=Role.SUPPORT)
    assert issued(s).amount == 40_796 - 2 * 2_550
    s.at("2026-02-06T08:00:00Z")
    assert returned(s).amount == 2 * 2_550 - 24 * 21


def test_from_then_on_it_goes_the_way_of_a_prepaid_instance() -> None:
    s = converted()
    s.when(DESTROY).refused(Code.WRONG_STATE)
    s.give(
        renewal("o-2", line("i-1", paid(50_000)), starts_at=BEGIN + YEAR, ends_at=BEGIN + 2 * YEAR)
    )
    s.at(BEGIN + 2 * YEAR).give(ExpireInstance(instance_id="i-1", order_id="o-2"))
    assert isolation(s).restore_until == BEGIN + 2 * YEAR + 7 * DAY
    s.when(RestoreInstance(instance_id="i-1")).refused(Code.RENEWAL_REQUIRED)


def test_what_is_prepaid_is_renewed_instead() -> None:
    command = conversion("o-2", line("i-1"), starts_at=START)
    bought().when(command).refused(Code.WRONG_STATE)
    (violation,) = converted().when(command).refused(Code.WRONG_STATE).violations
    assert violation.figures["billing"] == "PREPAID"


def test_what_does_not_run_stays_as_it_is() -> None:
    s = started().later(HOUR)
    s.give(DESTROY)
    command = conversion("o-1", line("i-1"), starts_at=START)
    s.when(command).refused(Code.WRONG_STATE)
    s.give(TakeInstanceOffline(instance_id="i-1"))
    s.when(command, id="c-2").refused(Code.WRONG_STATE)
    s.again().then()


def test_one_line_that_cannot_be_converted_stops_the_order() -> None:
    s = started()
    s.give(order("o-1", line("i-2"), starts_at=START))
    s.when(conversion("o-2", line("i-1"), line("i-2"), starts_at=START)).refused(Code.WRONG_STATE)
    assert instance(s).billing is Billing.POSTPAID


def test_what_is_not_there_is_not_converted() -> None:
    s = started()
    s.when(conversion("o-1", line("i-9"), starts_at=START)).refused(Code.NOT_FOUND)
    s.give(postpaid("i-2"))
    s.give(conversion("o-1", line("i-2"), starts_at=START))
    s.when(conversion("o-1", line("i-1"), starts_at=START)).refused(Code.ALREADY_EXISTS)
    s.when(conversion("o-3", line("i-1"), starts_at=START), role=Role.OWNER).refused(Code.FORBIDDEN)
