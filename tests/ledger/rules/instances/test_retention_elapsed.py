"""Retention elapsed: destroyed after the window, unless a renewal recorded in time averts it."""

from __future__ import annotations

from ledger.state.entities import InstanceStatus
from ledger.values.instants import DAY, HOUR, format_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    ExpireInstance,
    RestoreInstance,
)
from ledger.vocabulary.events import (
    InstanceDestroyed,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
)
from ledger.vocabulary.shapes import DestructionReason, IsolationReason, Role
from tests.bodies import paid, renewal, returning
from tests.ledger.rules.instances.acts import (
    bought,
    instance,
    isolation,
    quoted,
    returned,
    started,
    window_end,
)
from tests.scenario import Scenario

RESTORE = RestoreInstance(instance_id="i-1", renewal_order_id="o-2")
EXPIRE = ExpireInstance(instance_id="i-1", order_id="o-2")


def in_the_bin() -> Scenario:
    """i-1 was returned."""
    s = bought(paid(100_000)).later(DAY)
    returned(s)
    return s


def destroy(s: Scenario) -> DestroyIsolatedInstance:
    """What the timer of the current isolation sends."""
    return DestroyIsolatedInstance(instance_id="i-1", isolation_id=isolation(s).isolation_id)


def averted(days: int = 30) -> Scenario:
    """i-1 lies in the bin, and its renewal o-2 for so many days was recorded in time."""
    s = in_the_bin()
    s.give(renewal("o-2", starts_at=s.now, ends_at=s.now + days * DAY))
    return s


def test_it_is_destroyed_and_its_data_and_address_are_gone() -> None:
    s = in_the_bin()
    bin_id, until = isolation(s).isolation_id, window_end(s)
    s.at(until).when(destroy(s)).then(
        InstanceDestroyed(
            instance_id="i-1",
            isolation_id=bin_id,
            reason=DestructionReason.RETENTION_ELAPSED,
            data_purged=True,
            ip_released=True,
        )
    )
    assert instance(s).status is InstanceStatus.DESTROYED


def test_it_happened_when_the_window_ended_however_late_the_timer_woke() -> None:
    s = in_the_bin()
    until = window_end(s)
    s.at(until + 5 * DAY).give(destroy(s))
    assert [fact.occurred_at for fact in s.facts] == [until]
    assert s.recorded[-1].meta.recorded_at == until + 5 * DAY


def test_a_microsecond_early_is_not_due() -> None:
    s = in_the_bin()
    until = window_end(s)
    refusal = s.at(until - 1).when(destroy(s)).refused(Code.NOT_DUE)
    assert refusal.violations[0].figures == {
        "due_at": format_instant(until),
        "now": format_instant(until - 1),
    }


def test_a_redelivered_timer_is_quiet() -> None:
    s = in_the_bin()
    timer = destroy(s)
    s.at(window_end(s)).give(timer, id="t-1")
    s.when(timer, id="t-1").then()
    s.when(timer, id="t-2").refused(Code.WRONG_STATE)


def test_a_destroyed_instance_is_not_restored() -> None:
    s = in_the_bin()
    s.at(window_end(s)).give(destroy(s))
    s.when(RestoreInstance(instance_id="i-1")).refused(Code.RETENTION_ELAPSED)
    s.when(renewal("o-2", starts_at=s.now)).refused(Code.WRONG_STATE)
    s.when(returning(), role=Role.SUPPORT).refused(Code.WRONG_STATE)


def test_at_the_last_instant_whoever_is_first_in_the_log_wins() -> None:
    s = averted()
    s.at(window_end(s)).give(RESTORE)
    assert instance(s).status is InstanceStatus.RUNNING
    s = started()
    s.give(DestroyPostpaidInstance(instance_id="i-1", acknowledged=True))
    s.at(window_end(s)).give(destroy(s))
    s.when(RestoreInstance(instance_id="i-1")).refused(Code.RETENTION_ELAPSED)


def test_a_renewal_at_the_last_instant_averts_the_destruction() -> None:
    s = in_the_bin()
    timer, bin_id = destroy(s), isolation(s).isolation_id
    s.at(window_end(s))
    (recorded,) = s.give(renewal("o-2", starts_at=s.now))
    assert isinstance(recorded, InstanceOrderRecorded)
    assert recorded.averted_isolation_ids == (bin_id,)
    s.when(timer).refused(Code.WRONG_STATE)
    s.later(20 * DAY).when(timer).refused(Code.WRONG_STATE)
    s.when(RESTORE).then(
        InstanceRestored(
            instance_id="i-1", isolation_id=bin_id, renewal_order_id="o-2", restored_at=s.now
        )
    )


def test_a_renewal_a_microsecond_later_averts_nothing() -> None:
    s = in_the_bin()
    s.at(window_end(s) + 1)
    (recorded,) = s.give(renewal("o-2", starts_at=s.now))
    assert isinstance(recorded, InstanceOrderRecorded)
    assert recorded.averted_isolation_ids == ()
    s.when(RESTORE).refused(Code.RETENTION_ELAPSED)
    s.when(EXPIRE).refused(Code.WRONG_STATE)
    s.give(destroy(s))
    assert instance(s).status is InstanceStatus.DESTROYED
    assert instance(s).orders == ()


def test_an_averting_renewal_restores_while_it_runs_and_no_longer() -> None:
    s = averted(days=30)
    end = instance(s).orders[-1].ends_at
    s.at(end).when(RESTORE).refused(Code.RENEWAL_REQUIRED)
    s = averted(days=30)
    s.at(end - 1).give(RESTORE)
    assert isinstance(s.outcome[0], InstanceRestored)


def test_when_the_averting_renewal_ends_it_is_isolated_anew() -> None:
    s = averted(days=30)
    old, end = isolation(s), instance(s).orders[-1].ends_at
    s.at(end - 1).when(EXPIRE).refused(Code.NOT_DUE)
    s.at(end + HOUR).when(EXPIRE).then(
        InstanceIsolated(
            instance_id="i-1",
            isolation_id=s.derived("isolation"),
            reason=IsolationReason.EXPIRED,
            isolated_at=end,
            restore_until=end + 7 * DAY,
            charges_stopped_at=end,
        )
    )
    assert isolation(s).isolation_id != old.isolation_id
    s.at(end + 7 * DAY).give(destroy(s))
    assert instance(s).status is InstanceStatus.DESTROYED


def test_an_old_timer_never_kills_a_later_isolation() -> None:
    s = averted(days=60)
    old = destroy(s)
    s.give(RESTORE)
    s.later(6 * DAY)
    quote = quoted(s)
    s.give(returning("i-1", quote.quote_id, quote.amount))
    assert isolation(s).isolation_id != old.isolation_id
    s.later(2 * DAY).when(old).refused(Code.WRONG_STATE)
    assert instance(s).status is InstanceStatus.ISOLATED


def test_a_timer_after_the_restore_finds_it_running() -> None:
    s = averted()
    old = destroy(s)
    s.give(RESTORE)
    refusal = s.later(8 * DAY).when(old).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures["state"] == "RUNNING"


def test_an_averting_renewal_may_be_prolonged_in_the_bin() -> None:
    s = averted(days=10)
    end = instance(s).orders[-1].ends_at
    s.give(renewal("o-3", starts_at=end, ends_at=end + 10 * DAY))
    s.at(end).when(EXPIRE).refused(Code.WRONG_STATE)
    s.give(RestoreInstance(instance_id="i-1", renewal_order_id="o-3"))
    assert instance(s).status is InstanceStatus.RUNNING


def test_a_renewal_shorter_than_the_window_opens_a_new_window() -> None:
    s = averted(days=1)
    end = instance(s).orders[-1].ends_at
    s.at(end).give(EXPIRE)
    assert window_end(s) == end + 7 * DAY
    s.give(renewal("o-3", starts_at=end))
    s.give(RestoreInstance(instance_id="i-1", renewal_order_id="o-3"))
    assert instance(s).status is InstanceStatus.RUNNING
