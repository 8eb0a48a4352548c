"""Offline now: destroys at once what lies in the bin, and nothing else."""

from __future__ import annotations

from ledger.state.entities import InstanceStatus
from ledger.values.instants import HOUR
from ledger.values.refusal import Code
from ledger.vocabulary.commands import DestroyPostpaidInstance, RestoreInstance, TakeInstanceOffline
from ledger.vocabulary.events import InstanceDestroyed
from ledger.vocabulary.shapes import DestructionReason
from tests.ledger.rules.instances.acts import bought, instance, isolation, returned, started

OFFLINE = TakeInstanceOffline(instance_id="i-1")


def test_what_lies_in_the_bin_is_destroyed_at_once() -> None:
    s = bought()
    returned(s)
    bin_id = isolation(s).isolation_id
    s.later(HOUR).when(OFFLINE).then(
        InstanceDestroyed(
            instance_id="i-1",
            isolation_id=bin_id,
            reason=DestructionReason.TAKEN_OFFLINE,
            data_purged=True,
            ip_released=True,
        )
    )
    assert [fact.occurred_at for fact in s.facts] == [s.now]
    assert instance(s).status is InstanceStatus.DESTROYED


def test_a_running_instance_is_not_in_the_bin() -> None:
    for s in (bought(), started()):
        refusal = s.when(OFFLINE).refused(Code.NOT_IN_RECYCLE_BIN)
        assert refusal.violations[0].rule == "offline_now"
        assert refusal.violations[0].figures == {"instance": "i-1", "state": "RUNNING"}


def test_it_is_gone_once_and_not_restored() -> None:
    s = started()
    s.give(DestroyPostpaidInstance(instance_id="i-1", acknowledged=True))
    s.give(OFFLINE, id="c-1")
    s.when(OFFLINE, id="c-1").then()
    s.when(OFFLINE, id="c-2").refused(Code.NOT_IN_RECYCLE_BIN)
    s.when(RestoreInstance(instance_id="i-1")).refused(Code.NOT_IN_RECYCLE_BIN)
