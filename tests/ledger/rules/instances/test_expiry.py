"""Expiry: what is not renewed goes to the bin at the end of its last order."""

from __future__ import annotations

import pytest

from ledger.state.entities import InstanceStatus
from ledger.values.instants import DAY, HOUR, format_instant, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import ExpireInstance, RestoreInstance
from ledger.vocabulary.events import InstanceIsolated, InstanceOrderRecorded
from ledger.vocabulary.shapes import IsolationReason
from tests.bodies import YEAR, line, order, paid, postpaid, renewal
from tests.ledger.rules.instances.acts import bought, instance, isolation, returned
from tests.scenario import START

BEGIN = parse_instant(START)
END = BEGIN + YEAR
EXPIRE = ExpireInstance(instance_id="i-1", order_id="o-1")


def test_it_goes_to_the_bin_at_its_end_without_a_refund() -> None:
    s = bought().at(END + HOUR)
    s.when(EXPIRE).then(
        InstanceIsolated(
            instance_id="i-1",
            isolation_id=s.derived("isolation"),
            reason=IsolationReason.EXPIRED,
            isolated_at=END,
            restore_until=END + 7 * DAY,
            charges_stopped_at=END,
        )
    )
    assert [fact.occurred_at for fact in s.facts] == [END]


def test_it_is_due_at_the_end_sharp_and_not_before() -> None:
    s = bought()
    refusal = s.at(END - 1).when(EXPIRE).refused(Code.NOT_DUE)
    assert refusal.violations[0].figures["due_at"] == format_instant(END)
    assert isinstance(s.at(END).give(EXPIRE)[0], InstanceIsolated)


def test_a_renewal_makes_the_old_expiry_stale() -> None:
    s = bought()
    s.give(renewal("o-2", starts_at=END))
    s.at(END).when(EXPIRE).refused(Code.WRONG_STATE)
    again = ExpireInstance(instance_id="i-1", order_id="o-2")
    s.at(END + YEAR).give(again, id="t-1")
    assert isolation(s).isolated_at == END + YEAR
    s.when(again, id="t-1").then()
    s.when(again, id="t-2").refused(Code.WRONG_STATE)


def test_a_returned_instance_no_longer_expires() -> None:
    s = bought()
    returned(s)
    s.at(END).when(EXPIRE).refused(Code.WRONG_STATE)


def test_the_timer_of_another_instances_order_is_stale() -> None:
    s = bought()
    s.give(order("o-9", line("i-9"), starts_at=START))
    stray = ExpireInstance(instance_id="i-1", order_id="o-9")
    s.at(END).when(stray).refused(Code.WRONG_STATE)


def test_what_expired_can_be_restored_by_a_renewal() -> None:
    s = bought().at(END)
    s.give(EXPIRE)
    s.later(2 * DAY).give(renewal("o-2", starts_at=END))
    s.give(RestoreInstance(instance_id="i-1", renewal_order_id="o-2"))
    assert instance(s).status is InstanceStatus.RUNNING


@pytest.mark.parametrize("off", [-1, 1, -DAY, DAY])
def test_a_renewal_must_continue_the_running_order(off: int) -> None:
    refusal = bought().when(renewal("o-2", starts_at=END + off)).refused(Code.WRONG_STATE)
    figures = refusal.violations[0].figures
    assert figures["starts_at"] == format_instant(END + off)
    assert figures["current_end"] == format_instant(END)


def test_renewals_follow_each_other() -> None:
    s = bought()
    s.give(renewal("o-2", starts_at=END))
    s.when(renewal("o-3", starts_at=END)).refused(Code.WRONG_STATE)
    s.give(renewal("o-3", starts_at=END + YEAR))
    assert [found.order_id for found in instance(s).orders] == ["o-1", "o-2", "o-3"]


@pytest.mark.parametrize(("from_isolation", "accepted"), [(-1, False), (0, True), (DAY, True)])
def test_a_renewal_in_the_bin_starts_within_the_isolation(
    from_isolation: int, *, accepted: bool
) -> None:
    s = bought(paid(100_000)).later(DAY)
    returned(s)
    since = s.now
    s.later(DAY).when(renewal("o-2", starts_at=since + from_isolation))
    if accepted:
        assert isinstance(s.outcome[0], InstanceOrderRecorded)
    else:
        figures = s.refused(Code.WRONG_STATE).violations[0].figures
        assert figures["isolated_at"] == format_instant(since)
        assert figures["now"] == format_instant(s.now)


def test_a_renewal_in_the_bin_does_not_start_in_the_future() -> None:
    s = bought(paid(100_000)).later(DAY)
    returned(s)
    s.when(renewal("o-2", starts_at=s.now + 1)).refused(Code.WRONG_STATE)


def test_only_a_prepaid_instance_is_renewed() -> None:
    s = bought()
    s.give(postpaid("i-2"))
    refusal = s.when(renewal("o-2", line("i-2"), starts_at=s.now)).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures["billing"] == "POSTPAID"
    s.when(ExpireInstance(instance_id="i-2", order_id="o-1")).refused(Code.WRONG_STATE)


def test_one_renewal_of_several_instances_lists_each_that_objects() -> None:
    s = bought()
    s.give(postpaid("i-2"))
    both = renewal("o-2", line("i-1"), line("i-2"), starts_at=END + 1)
    refusal = s.when(both).refused(Code.WRONG_STATE, Code.WRONG_STATE)
    assert [v.figures["instance"] for v in refusal.violations] == ["i-1", "i-2"]
