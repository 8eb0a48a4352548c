"""The events of an instance command that no policy refuses."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.calculations.counted_orders import counted_orders
from ledger.calculations.figures import RefundFigures
from ledger.calculations.prepaid_return import prepaid_return
from ledger.decide import downgrades
from ledger.decide.facts import Fact, at_once, derived
from ledger.decide.issued_refund import issued_refund, settled_at_once
from ledger.policies.case import Case
from ledger.policies.return_quota import full_quota_free, spends_quota
from ledger.state.entities import (
    Billing,
    Instance,
    InstanceOrder,
    InstanceStatus,
    Isolation,
    QuoteKind,
)
from ledger.values.instants import HOUR, MINUTE, Instant
from ledger.vocabulary.commands import (
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    DowngradeInstance,
    ExpireInstance,
    InstanceCommand,
    QuoteInstanceDowngrade,
    QuoteInstanceReturn,
    RecordInstanceOrder,
    RecordInstanceUpgrade,
    RestoreInstance,
    ReturnInstance,
    StartPostpaidInstance,
    TakeInstanceOffline,
)
from ledger.vocabulary.events import (
    InstanceDestroyed,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
    InstanceReturnQuoted,
    InstanceUpgraded,
    PostpaidInstanceStarted,
)
from ledger.vocabulary.shapes import DestructionReason, IsolationReason, SourceKind


def figures(case: Case) -> RefundFigures | None:
    """What a return or downgrade would give back now; None for a command that returns nothing.

    The use is valued at the quote's instant, everything else is taken as it is now.
    """
    match case.command:
        case QuoteInstanceReturn() | ReturnInstance() as command:
            return prepaid_return(
                case.the(Instance, command.instance_id),
                now=case.now,
                valued_at=case.valued_at(QuoteKind.INSTANCE_RETURN),
                full_quota_free=full_quota_free(case),
                currency=case.account.currency,
                terms=case.terms,
            )
        case QuoteInstanceDowngrade() | DowngradeInstance() as command:
            return downgrades.figures(case, command)
        case _:
            return None


def accepted(case: Case, command: InstanceCommand) -> tuple[Fact, ...]:
    """The events of the command."""
    match command:
        case RecordInstanceOrder():
            recorded = _order(case, command)
            return at_once(case, recorded, *_restored_late(case, command))
        case StartPostpaidInstance():
            started = PostpaidInstanceStarted(
                instance_id=command.instance_id, product=command.product, region=command.region
            )
            return at_once(case, started)
        case RecordInstanceUpgrade():
            return at_once(case, _upgraded(case, command))
        case QuoteInstanceDowngrade():
            return downgrades.quoted(case, command)
        case DowngradeInstance():
            return downgrades.downgraded(case, command)
        case ReturnInstance():
            return _returned(case, command)
        case DestroyPostpaidInstance():
            reason = IsolationReason.DESTROYED_BY_OWNER
            return at_once(case, isolated(case, command.instance_id, reason, case.now))
        case RestoreInstance():
            return at_once(case, _restored(case, command))
        case TakeInstanceOffline():
            isolation = _isolation(case, command.instance_id)
            destroyed = _destroyed(command.instance_id, isolation, DestructionReason.TAKEN_OFFLINE)
            return at_once(case, destroyed)
        case ExpireInstance():
            at = _expires_at(case, case.the(Instance, command.instance_id).orders[-1])
            expired = isolated(case, command.instance_id, IsolationReason.EXPIRED, at)
            return (Fact(body=expired, occurred_at=at),)
        case DestroyIsolatedInstance():
            isolation = _isolation(case, command.instance_id)
            destroyed = _destroyed(
                command.instance_id, isolation, DestructionReason.RETENTION_ELAPSED
            )
            return (Fact(body=destroyed, occurred_at=isolation.restore_until),)
        case QuoteInstanceReturn():
            return at_once(case, _quoted(case, command))
        case _ as unreachable:
            assert_never(unreachable)


def isolated(
    case: Case, instance_id: str, reason: IsolationReason, isolated_at: Instant
) -> InstanceIsolated:
    """Into the recycle bin: no charge from then on, and the window of its billing opens."""
    prepaid = case.the(Instance, instance_id).billing is Billing.PREPAID
    terms = case.terms
    hours = terms.prepaid_retention_hours if prepaid else terms.postpaid_retention_hours
    return InstanceIsolated(
        instance_id=instance_id,
        isolation_id=derived(case, "isolation"),
        reason=reason,
        isolated_at=isolated_at,
        restore_until=isolated_at + hours * HOUR,
        charges_stopped_at=isolated_at,
    )


def _quoted(case: Case, command: QuoteInstanceReturn) -> InstanceReturnQuoted:
    """The quote, with every rule that acting on it would violate."""
    found = case.figures
    assert found is not None
    return InstanceReturnQuoted(
        quote_id=derived(case, "quote"),
        instance_id=command.instance_id,
        expires_at=case.now + case.terms.quote_valid_minutes * MINUTE,
        rule=found.rule,
        gross=found.gross,
        fee=found.fee,
        amount=found.amount,
        parts=found.parts,
        violations=case.violations,
        working=found.working,
        currency=case.account.currency,
    )


def _returned(case: Case, command: ReturnInstance) -> tuple[Fact, ...]:
    found = case.figures
    assert found is not None
    source_id, quote_id = command.instance_id, command.quote_id
    refund = issued_refund(case, SourceKind.INSTANCE, source_id, found, quote_id)
    refund = replace(refund, quota_spent=spends_quota(case, found.rule))
    into_bin = isolated(case, command.instance_id, IsolationReason.RETURNED, case.now)
    return at_once(case, into_bin, refund, *settled_at_once(refund))


def _order(case: Case, command: RecordInstanceOrder) -> InstanceOrderRecorded:
    averted = (
        instance.isolation.isolation_id
        for line in command.lines
        if (instance := case.find(Instance, line.instance_id)) is not None
        and instance.status is InstanceStatus.ISOLATED
        and instance.isolation is not None
        and case.now <= instance.isolation.restore_until
    )
    return InstanceOrderRecorded(
        order_id=command.order_id,
        kind=command.kind,
        channel=command.channel,
        starts_at=command.starts_at,
        ends_at=command.ends_at,
        delivered_at=(command.starts_at if command.delivered_at is None else command.delivered_at),
        lines=command.lines,
        averted_isolation_ids=tuple(averted),
        currency=command.currency,
    )


def _upgraded(case: Case, command: RecordInstanceUpgrade) -> InstanceUpgraded:
    """The payment belongs to the order that runs at the upgrade."""
    instance = case.the(Instance, command.instance_id)
    running = counted_orders(instance, command.upgraded_at).running
    assert running is not None
    return InstanceUpgraded(
        instance_id=command.instance_id,
        upgrade_id=command.upgrade_id,
        order_id=running.order_id,
        upgraded_at=command.upgraded_at,
        paid=command.paid,
        components=command.components,
        duration_discounts=command.duration_discounts,
        currency=command.currency,
    )


def _expires_at(case: Case, order: InstanceOrder) -> Instant:
    """When an instance goes into the bin for its time: at the order's end; or when the ledger first
    heard of the order, where that was over by then (`late_news`).

    By hand: an order from 5 January to 5 February, recorded on 1 June: isolated on 1 June, and
    restorable until 8 June.
    """
    if case.by_first_edition:
        return order.ends_at
    return max(order.ends_at, order.recorded_at)


def _restored_late(case: Case, command: RecordInstanceOrder) -> tuple[InstanceRestored, ...]:
    """A renewal of what was isolated only because its order was recorded late: it runs on at once,
    since it never stood still.
    """
    if case.by_first_edition:
        return ()
    return tuple(
        InstanceRestored(
            instance_id=line.instance_id,
            isolation_id=instance.isolation.isolation_id,
            renewal_order_id=command.order_id,
            restored_at=case.now,
        )
        for line in command.lines
        if (instance := case.find(Instance, line.instance_id)) is not None
        and instance.status is InstanceStatus.ISOLATED
        and instance.isolation is not None
        and instance.isolation.late_since is not None
        and case.now <= instance.isolation.restore_until
    )


def _restored(case: Case, command: RestoreInstance) -> InstanceRestored:
    return InstanceRestored(
        instance_id=command.instance_id,
        isolation_id=_isolation(case, command.instance_id).isolation_id,
        renewal_order_id=command.renewal_order_id,
        restored_at=case.now,
    )


def _destroyed(
    instance_id: str, isolation: Isolation, reason: DestructionReason
) -> InstanceDestroyed:
    return InstanceDestroyed(
        instance_id=instance_id,
        isolation_id=isolation.isolation_id,
        reason=reason,
        data_purged=True,
        ip_released=True,
    )


def _isolation(case: Case, instance_id: str) -> Isolation:
    isolation = case.the(Instance, instance_id).isolation
    assert isolation is not None
    return isolation
