"""Restore: within the window, a prepaid instance by a renewal, one paid by use just like that."""

from __future__ import annotations

from ledger.state.entities import InstanceStatus
from ledger.values.instants import DAY, HOUR, format_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import DestroyPostpaidInstance, RestoreInstance
from ledger.vocabulary.events import InstanceRestored
from ledger.vocabulary.shapes import OrderKind
from tests.bodies import line, order, paid, renewal
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

DESTROY = DestroyPostpaidInstance(instance_id="i-1", acknowledged=True)
RESTORE = RestoreInstance(instance_id="i-1")
WITH_RENEWAL = RestoreInstance(instance_id="i-1", renewal_order_id="o-2")


def in_the_bin() -> Scenario:
    """i-1 was returned."""
    s = bought(paid(100_000)).later(DAY)
    returned(s)
    return s


def test_a_renewal_brings_a_prepaid_instance_back() -> None:
    s = in_the_bin()
    bin_id = isolation(s).isolation_id
    s.give(renewal("o-2", starts_at=s.now))
    s.later(HOUR).when(WITH_RENEWAL).then(
        InstanceRestored(
            instance_id="i-1", isolation_id=bin_id, renewal_order_id="o-2", restored_at=s.now
        )
    )
    assert instance(s).status is InstanceStatus.RUNNING
    assert instance(s).isolation is None


def test_one_paid_by_use_just_starts() -> None:
    s = started()
    s.give(DESTROY)
    bin_id = isolation(s).isolation_id
    s.later(HOUR).when(RESTORE).then(
        InstanceRestored(instance_id="i-1", isolation_id=bin_id, restored_at=s.now)
    )


def test_the_last_instant_of_two_hours_is_in_time_and_the_next_is_not() -> None:
    for late in (0, 1):
        s = started()
        s.give(DESTROY)
        s.at(window_end(s) + late).when(RESTORE)
        if not late:
            assert isinstance(s.outcome[0], InstanceRestored)
            continue
        violation = s.refused(Code.RETENTION_ELAPSED).violations[0]
        assert violation.rule == "restore"
        assert violation.figures["restore_until"] == format_instant(s.now - 1)


def test_the_last_instant_of_seven_days_is_in_time_and_the_next_is_not() -> None:
    s = in_the_bin()
    s.at(window_end(s)).give(renewal("o-2", starts_at=s.now))
    assert isinstance(s.give(WITH_RENEWAL)[0], InstanceRestored)
    s = in_the_bin()
    s.at(window_end(s) + 1).when(RESTORE).refused(Code.RETENTION_ELAPSED)


def test_a_prepaid_instance_needs_its_renewal_named() -> None:
    s = in_the_bin()
    assert s.when(RESTORE).refused(Code.RENEWAL_REQUIRED).violations[0].figures == {
        "instance": "i-1",
        "renewal_order_id": "",
        "renewals_since_isolation": "",
    }
    s.give(renewal("o-2", starts_at=s.now))
    figures = s.when(RESTORE).refused(Code.RENEWAL_REQUIRED).violations[0].figures
    assert figures["renewals_since_isolation"] == "o-2"


def test_only_a_renewal_of_this_instance_since_its_isolation_will_do() -> None:
    s = in_the_bin()
    s.give(order("o-2", line("i-9"), starts_at=s.now))
    for other in ("o-1", "o-2"):
        named = RestoreInstance(instance_id="i-1", renewal_order_id=other)
        s.when(named).refused(Code.RENEWAL_REQUIRED)
    s.when(RestoreInstance(instance_id="i-1", renewal_order_id="o-404")).refused(Code.NOT_FOUND)


def test_a_renewal_that_has_run_out_will_not_do() -> None:
    s = in_the_bin()
    s.give(renewal("o-2", starts_at=s.now, ends_at=s.now + DAY))
    s.later(DAY).when(WITH_RENEWAL).refused(Code.RENEWAL_REQUIRED)


def test_a_running_instance_is_not_in_the_bin() -> None:
    refusal = bought().when(RESTORE).refused(Code.NOT_IN_RECYCLE_BIN)
    assert refusal.violations[0].figures == {"instance": "i-1", "state": "RUNNING"}


def test_restoring_twice_finds_it_running() -> None:
    s = started()
    s.give(DESTROY)
    s.give(RESTORE, id="c-1")
    s.when(RESTORE, id="c-1").then()
    s.when(RESTORE, id="c-2").refused(Code.NOT_IN_RECYCLE_BIN)


def test_a_restored_instance_is_valued_by_its_renewal_alone() -> None:
    s = in_the_bin()
    s.give(renewal("o-2", line("i-1", paid(50_000)), starts_at=s.now))
    s.give(WITH_RENEWAL)
    assert [found.kind for found in instance(s).orders] == [OrderKind.RENEWAL]
    quote = quoted(s.later(10 * HOUR))
    assert quote.gross == 50_000 - 420
