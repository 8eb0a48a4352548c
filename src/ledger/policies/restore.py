"""Restore (开机): an instance can be restored within the window, a prepaid one by a renewal."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Billing, Instance, InstanceStatus, Isolation
from ledger.values.instants import format_instant
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import RestoreInstance


def retention_elapsed(case: Case) -> Iterator[Violation]:
    """Restoring is possible until the window ends, or later if a renewal was recorded within it.

    Source: seed 000 (7天之内 … 进行续费; 2小时之内). By hand: isolated 5 Jan 08:00 for 7 days:
    restored at exactly 12 Jan 08:00: accepted; a microsecond later: `RETENTION_ELAPSED`.
    """
    if not isinstance(case.command, RestoreInstance):
        return
    instance = case.the(Instance, case.command.instance_id)
    isolation = instance.isolation
    if isolation is None or _may_restore(case, instance, isolation):
        return
    yield violation(
        "restore",
        Code.RETENTION_ELAPSED,
        Said("instance {instance} could be restored until {restore_until}; it is gone for good"),
        instance=instance.instance_id,
        restore_until=format_instant(isolation.restore_until),
        now=format_instant(case.now),
    )


def renewal_required(case: Case) -> Iterator[Violation]:
    """A prepaid instance is restored only with a renewal that was recorded since its isolation.

    Source: seed 000. By hand: RestoreInstance without `renewal_order_id`, or with an order that is
    not a renewal of this instance since its isolation, or that has ended: `RENEWAL_REQUIRED`.
    """
    if not isinstance(case.command, RestoreInstance):
        return
    instance, named = case.the(Instance, case.command.instance_id), case.command.renewal_order_id
    if instance.billing is Billing.POSTPAID:
        return
    running = [order.order_id for order in instance.orders if case.now < order.ends_at]
    if named is not None and named in running:
        return
    yield violation(
        "restore",
        Code.RENEWAL_REQUIRED,
        Said("instance {instance} is prepaid: record a renewal and name its order"),
        instance=instance.instance_id,
        renewal_order_id=named or "",
        renewals_since_isolation=", ".join(running),
    )


def _may_restore(case: Case, instance: Instance, isolation: Isolation) -> bool:
    if instance.status is InstanceStatus.DESTROYED:
        return False
    return case.now <= isolation.restore_until or isolation.averted_by is not None
