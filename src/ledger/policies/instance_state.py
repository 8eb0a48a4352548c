"""Instance state: which commands are possible in which state of an instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ledger.calculations.counted_orders import counted_orders
from ledger.policies.case import NOTHING, Case, Said, violation
from ledger.state.entities import Billing, Instance, InstanceStatus
from ledger.values.instants import format_instant
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    DowngradeInstance,
    ExpireInstance,
    QuoteInstanceDowngrade,
    QuoteInstanceReturn,
    RecordInstanceOrder,
    RecordInstanceUpgrade,
    ReturnInstance,
)
from ledger.vocabulary.shapes import IsolationReason, OrderKind

_RETURNED = (
    Said("is paid by use; destroy it instead"),
    Said("only a running instance can be returned"),
)
_DOWNGRADED = (
    Said("is paid by use; only a prepaid instance is downgraded"),
    Said("only a running instance can be downgraded"),
)


def wrong_instance_state(case: Case) -> Iterator[Violation]:
    """`WRONG_STATE` for instances. Source: seed 000's states, 待删除 counting as 已隔离.

    By hand: i-1 was returned and is ISOLATED; a second ReturnInstance: `WRONG_STATE`, figures
    state = ISOLATED. A timer whose isolation or order is no longer current is stale: the same code.
    """
    match case.command:
        case QuoteInstanceReturn(instance_id=instance_id) | ReturnInstance(instance_id=instance_id):
            yield from _prepaid(case.the(Instance, instance_id), *_RETURNED)
        case QuoteInstanceDowngrade() | DowngradeInstance():
            yield from _prepaid(case.the(Instance, case.command.instance_id), *_DOWNGRADED)
        case DestroyPostpaidInstance():
            instance = case.the(Instance, case.command.instance_id)
            if instance.billing is not Billing.POSTPAID:
                yield _wrong(instance, Said("is prepaid; return it instead"))
            elif instance.status is not InstanceStatus.RUNNING:
                yield _wrong(instance, Said("only a running instance can be destroyed"))
        case RecordInstanceOrder(kind=OrderKind.RENEWAL):
            for line in case.command.lines:
                yield from _renewal(case, case.the(Instance, line.instance_id), case.command)
        case RecordInstanceOrder(kind=OrderKind.CONVERSION):
            for line in case.command.lines:
                yield from _conversion(case.the(Instance, line.instance_id))
        case RecordInstanceUpgrade():
            yield from _upgrade(case.the(Instance, case.command.instance_id), case.command)
        case ExpireInstance() | DestroyIsolatedInstance():
            yield from _stale_timer(case, case.command)
        case _:
            return


def _prepaid(instance: Instance, by_use: Said, not_running: Said) -> Iterator[Violation]:
    """Commands for a prepaid instance that runs, before its expiry."""
    if instance.billing is not Billing.PREPAID:
        yield _wrong(instance, by_use)
    elif instance.status is not InstanceStatus.RUNNING and not _expired(instance):
        yield _wrong(instance, not_running)


def _expired(instance: Instance) -> bool:
    """Off because its time was over: `prepaid_return` has the more telling code."""
    isolation = instance.isolation
    return isolation is not None and isolation.reason is IsolationReason.EXPIRED


def _renewal(case: Case, instance: Instance, order: RecordInstanceOrder) -> Iterator[Violation]:
    """A renewal continues the running order, or begins within the isolation (rule `expiry`)."""
    starts = format_instant(order.starts_at)
    if instance.billing is Billing.POSTPAID or instance.status is InstanceStatus.DESTROYED:
        yield _wrong(instance, Said("only a prepaid instance that still exists can be renewed"))
    elif instance.orders:
        end = instance.orders[-1].ends_at
        if order.starts_at != end:
            must = Said("a renewal must start where the running order ends: {current_end}")
            yield _wrong(instance, must, starts_at=starts, current_end=format_instant(end))
    else:
        isolation = instance.isolation
        assert isolation is not None
        begins = isolation.isolated_at
        if isolation.late_since is not None and not case.by_first_edition:
            begins = isolation.late_since
        if not begins <= order.starts_at <= case.now:
            must = Said("a renewal in the recycle bin must start between {isolated_at} and now")
            yield _wrong(
                instance,
                must,
                starts_at=starts,
                isolated_at=format_instant(begins),
                now=format_instant(case.now),
            )


def _conversion(instance: Instance) -> Iterator[Violation]:
    """A postpaid instance can become prepaid while it runs (rule `conversion`)."""
    if instance.billing is not Billing.POSTPAID:
        yield _wrong(instance, Said("is prepaid; renew it instead"))
    elif instance.status is not InstanceStatus.RUNNING:
        yield _wrong(instance, Said("only a running instance can become prepaid"))


def _upgrade(instance: Instance, command: RecordInstanceUpgrade) -> Iterator[Violation]:
    """A running prepaid instance can be upgraded within its paid time (rule `upgrade`)."""
    if instance.billing is not Billing.PREPAID:
        yield _wrong(instance, Said("is paid by use; only a prepaid instance is upgraded"))
    elif instance.status is not InstanceStatus.RUNNING:
        yield _wrong(instance, Said("only a running instance can be upgraded"))
    elif counted_orders(instance, command.upgraded_at).running is None:
        why = Said("no order of it runs at {upgraded_at}, when it is said to have been upgraded")
        yield _wrong(instance, why, upgraded_at=format_instant(command.upgraded_at))


def _stale_timer(
    case: Case, command: ExpireInstance | DestroyIsolatedInstance
) -> Iterator[Violation]:
    instance = case.the(Instance, command.instance_id)
    if isinstance(command, ExpireInstance):
        if not instance.orders or instance.orders[-1].order_id != command.order_id:
            yield _wrong(
                instance,
                Said("order {order} is not its last live order"),
                {"order": command.order_id},
            )
        elif instance.status is InstanceStatus.ISOLATED and not _averted(instance):
            yield _wrong(instance, Said("it waits in the recycle bin for its destruction"))
        return
    isolation = instance.isolation
    current = isolation is not None and isolation.isolation_id == command.isolation_id
    if instance.status is not InstanceStatus.ISOLATED or not current:
        yield _wrong(
            instance,
            Said("isolation {isolation} is no longer current"),
            {"isolation": command.isolation_id},
        )
    elif _averted(instance):
        yield _wrong(instance, Said("a renewal recorded in time averts its destruction"))


def _averted(instance: Instance) -> bool:
    return instance.isolation is not None and instance.isolation.averted_by is not None


def _wrong(
    instance: Instance, why: Said, told: Mapping[str, str] = NOTHING, /, **figures: str
) -> Violation:
    return violation(
        "existence_and_state",
        Code.WRONG_STATE,
        Said("instance {instance} is {state} ({billing}): {why}"),
        told,
        why,
        instance=instance.instance_id,
        state=instance.status,
        billing=instance.billing,
        **figures,
    )
