"""Offline now (立即下线): an instance in the recycle bin may be destroyed at once."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Instance, InstanceStatus
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import RestoreInstance, TakeInstanceOffline


def not_in_recycle_bin(case: Case) -> Iterator[Violation]:
    """Only instances in the recycle bin can be taken offline or restored.

    Source: seed 000 (立即下线, 开机). By hand: i-1 is RUNNING; TakeInstanceOffline:
    `NOT_IN_RECYCLE_BIN`. An instance whose window has ended was in the bin, but too long: restoring
    it is `RETENTION_ELAPSED`.
    """
    if not isinstance(case.command, TakeInstanceOffline | RestoreInstance):
        return
    instance = case.the(Instance, case.command.instance_id)
    elapsed = isinstance(case.command, RestoreInstance) and instance.destroyed_by_retention
    if instance.status is InstanceStatus.ISOLATED or elapsed:
        return
    yield violation(
        "offline_now",
        Code.NOT_IN_RECYCLE_BIN,
        Said("instance {instance} is {state}, not in the recycle bin"),
        instance=instance.instance_id,
        state=instance.status,
    )
