"""Deadlines: which events put them and which cancel them."""

from __future__ import annotations

from consumers.deadlines import HEEDED, CancelDeadline, PutDeadline, deadline_changes
from ledger.commands import (
    DestroyIsolatedInstance,
    ExpireInstance,
    RestoreInstance,
    ReturnInstance,
)
from ledger.envelope import RecordedEvent
from ledger.events import InstanceIsolated
from ledger.shapes import OrderKind, Role
from tests.bodies import line, order
from tests.scenario import Scenario


def story() -> Scenario:
    """An instance ordered on 5 January for a year, returned by support two days later."""
    told = Scenario().at("2026-01-05T08:00:00Z").opened()
    told.give(order("o-1", line("i-1"), starts_at=told.now))
    return told


def returned(told: Scenario) -> RecordedEvent:
    """Support returns the instance without a quote; the isolation."""
    told.give(ReturnInstance(instance_id="i-1", acknowledged=True), role=Role.SUPPORT)
    return next(each for each in told.recorded if isinstance(each.body, InstanceIsolated))


def put_by(recorded: RecordedEvent) -> list[PutDeadline]:
    return [each for each in deadline_changes(recorded) if isinstance(each, PutDeadline)]


def cancelled_by(recorded: RecordedEvent) -> list[str]:
    changes = deadline_changes(recorded)
    return [each.deadline_id for each in changes if isinstance(each, CancelDeadline)]


def test_an_order_puts_the_expiry_of_each_of_its_instances() -> None:
    (put,) = put_by(story().recorded[-1])
    assert put.command.body == ExpireInstance(instance_id="i-1", order_id="o-1")
    assert put.deadline_id == "acct-1/expiry/i-1"


def test_the_same_event_puts_the_same_command_id_again() -> None:
    recorded = story().recorded[-1]
    assert put_by(recorded) == put_by(recorded)
    assert put_by(recorded)[0].command.meta.causation_id == recorded.meta.event_id


def test_an_isolation_takes_off_the_expiry_and_puts_the_destruction() -> None:
    told = story().at("2026-01-07T08:00:00Z")
    isolated = returned(told)
    (put,) = put_by(isolated)
    assert isinstance(put.command.body, DestroyIsolatedInstance)
    assert put.due_at == told.now + 7 * 24 * 3600 * 1_000_000
    assert cancelled_by(isolated) == ["acct-1/expiry/i-1"]


def test_a_renewal_in_time_takes_off_the_destruction() -> None:
    told = story().at("2026-01-07T08:00:00Z")
    destruction = put_by(returned(told))[0].deadline_id
    told.give(order("o-2", line("i-1"), starts_at=told.now, kind=OrderKind.RENEWAL))
    assert cancelled_by(told.recorded[-1]) == [destruction]
    told.give(RestoreInstance(instance_id="i-1", renewal_order_id="o-2"))
    assert cancelled_by(told.recorded[-1]) == [destruction]


def test_every_event_that_changes_a_deadline_is_heeded() -> None:
    told = story().at("2026-01-07T08:00:00Z")
    returned(told)
    for recorded in told.recorded:
        assert (recorded.name in HEEDED) or not list(deadline_changes(recorded))
