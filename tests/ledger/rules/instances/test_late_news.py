"""Late news: an order recorded when its time is over takes no instance away."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from ledger.state.entities import InstanceStatus
from ledger.values.instants import DAY, HOUR, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import DestroyIsolatedInstance, ExpireInstance, ReturnInstance
from ledger.vocabulary.events import InstanceIsolated, InstanceOrderRecorded, InstanceRestored
from ledger.vocabulary.shapes import IsolationReason, RefundRule, Role
from tests.bodies import line, order, renewal
from tests.ledger.rules.instances.acts import binned, instance, isolation, issued
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)
MONTH = 31 * DAY
END = BEGIN + MONTH
JUNE = parse_instant("2026-06-01T08:00:00Z")
WINDOW = 7 * DAY
EXPIRE = ExpireInstance(instance_id="i-1", order_id="o-1")


def heard_of(at: int = JUNE) -> Scenario:
    """Of an order of i-1 for January, only then; its timer wakes at once."""
    s = Scenario().opened().at(at)
    s.give(order("o-1", line("i-1"), starts_at=BEGIN, ends_at=END))
    s.give(EXPIRE)
    return s


def test_it_is_isolated_at_the_recording_instant_and_the_window_runs_from_there() -> None:
    s = heard_of()
    assert s.outcome == (
        InstanceIsolated(
            instance_id="i-1",
            isolation_id=s.derived("isolation"),
            reason=IsolationReason.EXPIRED,
            isolated_at=JUNE,
            restore_until=JUNE + WINDOW,
            charges_stopped_at=JUNE,
        ),
    )
    assert [fact.occurred_at for fact in s.facts] == [JUNE]


@pytest.mark.parametrize(("recorded_at", "isolated_at"), [(END - 1, END), (END, END)])
def test_both_sides_of_the_end(recorded_at: int, isolated_at: int) -> None:
    s = Scenario().opened().at(recorded_at)
    s.give(order("o-1", line("i-1"), starts_at=BEGIN, ends_at=END))
    s.at(END + HOUR).give(EXPIRE)
    assert binned(s).isolated_at == isolated_at
    assert (isolation(s).late_since is not None) is (recorded_at == END)


def test_a_renewal_from_its_end_on_restores_it_in_the_same_decision() -> None:
    s = heard_of()
    first = isolation(s).isolation_id
    s.later(DAY).give(renewal("o-2", line("i-1"), starts_at=END, ends_at=JUNE + MONTH), id="n-1")
    recorded, restored = s.outcome
    assert isinstance(recorded, InstanceOrderRecorded)
    assert recorded.averted_isolation_ids == (first,)
    assert restored == InstanceRestored(
        instance_id="i-1", isolation_id=first, renewal_order_id="o-2", restored_at=JUNE + DAY
    )
    assert instance(s).status is InstanceStatus.RUNNING
    s.when(renewal("o-2", line("i-1"), starts_at=END, ends_at=JUNE + MONTH), id="n-1").then()
    destroy = DestroyIsolatedInstance(instance_id="i-1", isolation_id=first)
    s.at(JUNE + WINDOW).when(destroy).refused(Code.WRONG_STATE)


def test_it_is_returned_like_any_other_afterwards() -> None:
    s = heard_of()
    s.give(renewal("o-2", line("i-1"), starts_at=END, ends_at=JUNE + MONTH))
    s.when(ReturnInstance(instance_id="i-1", acknowledged=True), role=Role.SUPPORT)
    assert binned(s).reason is IsolationReason.RETURNED
    assert issued(s).rule is RefundRule.ORDINARY_RETURN


@pytest.mark.parametrize(("after", "restored"), [(WINDOW, True), (WINDOW + 1, False)])
def test_it_is_restored_up_to_the_last_instant_of_its_window(after: int, *, restored: bool) -> None:
    s = heard_of().later(after)
    s.give(renewal("o-2", line("i-1"), starts_at=END, ends_at=JUNE + MONTH))
    assert (instance(s).status is InstanceStatus.RUNNING) is restored


@pytest.mark.parametrize("starts_at", [END - 1, JUNE + 1])
def test_a_renewal_before_its_end_or_in_the_future_is_none(starts_at: int) -> None:
    s = heard_of()
    late = renewal("o-2", line("i-1"), starts_at=starts_at, ends_at=JUNE + MONTH)
    refusal = s.when(late).refused(Code.WRONG_STATE)
    assert "between 2026-02-05T08:00:00Z and now" in refusal.violations[0].message


def test_what_expired_while_the_ledger_knew_it_is_not_restored_by_a_renewal_alone() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1"), starts_at=BEGIN, ends_at=END))
    s.at(END).give(EXPIRE)
    s.later(HOUR).give(renewal("o-2", line("i-1"), starts_at=END, ends_at=JUNE + MONTH))
    assert [type(body).__name__ for body in s.outcome] == ["InstanceOrderRecorded"]
    assert instance(s).status is InstanceStatus.ISOLATED


@drawn(
    ends=st.lists(st.integers(1, 60 * 24), min_size=1, max_size=5),
    gaps=st.lists(st.integers(0, WINDOW), min_size=5, max_size=5),
    last=st.integers(1, 400),
    order_of=st.permutations(range(5)),
)
def test_orders_recorded_late_end_running_when_the_last_one_runs(
    ends: Sequence[int], gaps: Sequence[int], last: int, order_of: Sequence[int]
) -> None:
    """The first one first, the renewals in any order; timers wake after each."""
    bounds = [BEGIN]
    for hours in ends:
        bounds.append(bounds[-1] + hours * HOUR)
    s = Scenario().opened().at(max(JUNE, bounds[-1]))
    runs_until = s.now + 5 * WINDOW + last * DAY
    periods = [*pairwise(bounds), (bounds[-1], runs_until)]
    s.give(order("o-0", line("i-1"), starts_at=periods[0][0], ends_at=periods[0][1]))
    woken(s)
    renewals = list(enumerate(periods))[1:]
    renewals.sort(key=lambda one: order_of[one[0] - 1])
    for gap, (number, (starts_at, ends_at)) in zip(gaps, renewals, strict=False):
        s.later(gap)
        s.give(renewal(f"o-{number}", line("i-1"), starts_at=starts_at, ends_at=ends_at))
        woken(s)
    assert instance(s).status is InstanceStatus.RUNNING
    assert instance(s).orders[-1].ends_at == runs_until


def test_renewals_recorded_out_of_order_each_begin_a_new_window() -> None:
    s = heard_of()
    s.give(renewal("o-3", line("i-1"), starts_at=END + DAY, ends_at=END + 2 * DAY))
    woken(s)
    s.later(WINDOW).give(renewal("o-2", line("i-1"), starts_at=END, ends_at=END + DAY))
    woken(s)
    s.later(WINDOW)
    s.give(renewal("o-4", line("i-1"), starts_at=END + 2 * DAY, ends_at=JUNE + 4 * WINDOW))
    assert instance(s).status is InstanceStatus.RUNNING


def woken(s: Scenario) -> None:
    """The timer of what is over by now."""
    there = instance(s)
    if there.orders and there.orders[-1].ends_at <= s.now:
        s.give(ExpireInstance(instance_id="i-1", order_id=there.orders[-1].order_id))
