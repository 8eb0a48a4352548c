"""How facts about instances change them: orders, the recycle bin, quotes."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.state.entities import (
    Billing,
    Instance,
    InstanceOrder,
    InstanceStatus,
    Isolation,
    Order,
    Quote,
    QuoteKind,
    QuoteStatus,
    Upgrade,
)
from ledger.state.reading import Change, Key, State, existing
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import EventMeta
from ledger.vocabulary.events import (
    InstanceDestroyed,
    InstanceDowngraded,
    InstanceDowngradeQuoted,
    InstanceEvent,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
    InstanceReturnQuoted,
    InstanceUpgraded,
    PostpaidInstanceStarted,
)
from ledger.vocabulary.shapes import DestructionReason, Funds, IsolationReason, OrderLine


def evolve(state: State, meta: EventMeta, event: InstanceEvent) -> list[Change]:
    """The order, quote or instances as they are after the event."""
    account_id = meta.account_id
    match event:
        case InstanceOrderRecorded():
            return _order_recorded(state, meta, event)
        case PostpaidInstanceStarted():
            started = Instance(
                instance_id=event.instance_id,
                billing=Billing.POSTPAID,
                status=InstanceStatus.RUNNING,
            )
            return [(Key(Instance, account_id, event.instance_id), started)]
        case InstanceUpgraded():
            return _upgraded(state, meta, event)
        case InstanceDowngraded():
            return [_downgraded(state, account_id, event)]
        case InstanceReturnQuoted() | InstanceDowngradeQuoted():
            return [(Key(Quote, account_id, event.quote_id), _quote(meta, event))]
        case InstanceIsolated() | InstanceRestored() | InstanceDestroyed():
            instance = existing(state, Instance, account_id, event.instance_id)
            return [(Key(Instance, account_id, event.instance_id), _moved(instance, event))]
        case _ as unreachable:
            assert_never(unreachable)


def _moved(
    instance: Instance, event: InstanceIsolated | InstanceRestored | InstanceDestroyed
) -> Instance:
    match event:
        case InstanceIsolated():
            isolation = Isolation(
                isolation_id=event.isolation_id,
                reason=event.reason,
                isolated_at=event.isolated_at,
                restore_until=event.restore_until,
                late_since=_late_since(instance, event),
            )
            return replace(instance, status=InstanceStatus.ISOLATED, orders=(), isolation=isolation)
        case InstanceRestored():
            since = None if instance.isolation is None else instance.isolation.late_since
            return replace(
                instance, status=InstanceStatus.RUNNING, isolation=None, late_since=since
            )
        case InstanceDestroyed():
            return replace(
                instance,
                status=InstanceStatus.DESTROYED,
                orders=(),
                destroyed_by_retention=event.reason is DestructionReason.RETENTION_ELAPSED,
            )
        case _ as unreachable:
            assert_never(unreachable)


def _late_since(instance: Instance, event: InstanceIsolated) -> Instant | None:
    """The end of the order whose end put it there, if it was recorded only then or later; of
    several such orders in a row the earliest end.
    """
    if event.reason is not IsolationReason.EXPIRED or not instance.orders:
        return None
    last = instance.orders[-1]
    if last.recorded_at < last.ends_at:
        return None
    return last.ends_at if instance.late_since is None else min(instance.late_since, last.ends_at)


def _order_recorded(state: State, meta: EventMeta, event: InstanceOrderRecorded) -> list[Change]:
    ids = tuple(line.instance_id for line in event.lines)
    order = Order(kind=event.kind, instance_ids=ids)
    changes: list[Change] = [(Key(Order, meta.account_id, event.order_id), order)]
    for line in event.lines:
        instance = state.find(Instance, meta.account_id, line.instance_id) or Instance(
            instance_id=line.instance_id,
            billing=Billing.PREPAID,
            status=InstanceStatus.RUNNING,
        )
        changed = replace(
            instance,
            billing=Billing.PREPAID,
            orders=(*instance.orders, _instance_order(meta, event, line)),
            isolation=_averted(instance.isolation, event),
        )
        changes.append((Key(Instance, meta.account_id, line.instance_id), changed))
    return changes


def _instance_order(
    meta: EventMeta, event: InstanceOrderRecorded, line: OrderLine
) -> InstanceOrder:
    return InstanceOrder(
        order_id=event.order_id,
        kind=event.kind,
        channel=event.channel,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        delivered_at=event.delivered_at,
        recorded_at=meta.recorded_at,
        line=line,
    )


def _upgraded(state: State, meta: EventMeta, event: InstanceUpgraded) -> list[Change]:
    """The payment belongs to the order it was made for, and ends with it."""
    account_id = meta.account_id
    instance = existing(state, Instance, account_id, event.instance_id)
    upgrade = Upgrade(
        upgrade_id=event.upgrade_id,
        instance_id=event.instance_id,
        upgraded_at=event.upgraded_at,
        paid=event.paid,
    )
    orders = tuple(
        replace(order, upgrades=(*order.upgrades, upgrade))
        if order.order_id == event.order_id
        else order
        for order in instance.orders
    )
    return [
        (Key(Upgrade, account_id, event.upgrade_id), upgrade),
        (Key(Instance, account_id, event.instance_id), replace(instance, orders=orders)),
    ]


def _downgraded(state: State, account_id: str, event: InstanceDowngraded) -> Change:
    """The running order goes on with what is left, at the new prices; its upgrades are in that."""
    instance = existing(state, Instance, account_id, event.instance_id)
    orders = tuple(
        _smaller(order, event) if order.order_id == event.order_id else order
        for order in instance.orders
    )
    return Key(Instance, account_id, event.instance_id), replace(instance, orders=orders)


def _smaller(order: InstanceOrder, event: InstanceDowngraded) -> InstanceOrder:
    return replace(
        order,
        line=replace(
            order.line,
            paid=event.left,
            components=event.components,
            duration_discounts=event.duration_discounts,
        ),
        upgrades=(),
        downgraded_at=event.downgraded_at,
        downgrades=(*order.downgrades, event.refund_id),
    )


def corrected(instance: Instance, refund_id: str, parts: Funds) -> Instance:
    """A downgrade's refund was taken back: it counts as paid for its order again."""
    orders = tuple(
        replace(order, line=replace(order.line, paid=_sum(order.line.paid, parts)))
        if refund_id in order.downgrades
        else order
        for order in instance.orders
    )
    return replace(instance, orders=orders)


def _sum(paid: Funds, more: Funds) -> Funds:
    return replace(paid, cash=paid.cash + more.cash, gift=paid.gift + more.gift)


def _averted(isolation: Isolation | None, event: InstanceOrderRecorded) -> Isolation | None:
    if isolation is None or isolation.isolation_id not in event.averted_isolation_ids:
        return isolation
    return replace(isolation, averted_by=event.order_id)


def _quote(meta: EventMeta, event: InstanceReturnQuoted | InstanceDowngradeQuoted) -> Quote:
    quote = Quote(
        quoted_at=meta.recorded_at,
        expires_at=event.expires_at,
        status=QuoteStatus.OPEN,
        kind=QuoteKind.INSTANCE_RETURN,
        subject_id=event.instance_id,
        rule=event.rule,
        fee=event.fee,
        amount=event.amount,
        parts=event.parts,
    )
    if isinstance(event, InstanceReturnQuoted):
        return quote
    return replace(
        quote,
        kind=QuoteKind.INSTANCE_DOWNGRADE,
        components=event.components,
        duration_discounts=event.duration_discounts,
    )
