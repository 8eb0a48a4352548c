"""Facts about instances: orders, quotes, and the recycle bin."""

from __future__ import annotations

from ledger.values.instants import Instant
from ledger.values.money import Currency, Minor
from ledger.values.refusal import Violation
from ledger.vocabulary.shapes import (
    Channel,
    Component,
    DestructionReason,
    DurationDiscount,
    Funds,
    IsolationReason,
    OrderKind,
    OrderLine,
    Parts,
    RefundRule,
    Shape,
    WorkingStep,
)


class InstanceOrderRecorded(Shape, frozen=True, kw_only=True):
    """`averted_isolation_ids`: isolations whose destruction this renewal averts."""

    order_id: str
    kind: OrderKind
    channel: Channel
    starts_at: Instant
    ends_at: Instant
    delivered_at: Instant
    lines: tuple[OrderLine, ...]
    averted_isolation_ids: tuple[str, ...] = ()
    currency: Currency


class PostpaidInstanceStarted(Shape, frozen=True, kw_only=True):
    instance_id: str
    product: str
    region: str


class InstanceUpgraded(Shape, frozen=True, kw_only=True):
    """`order_id` is the order that runs at `upgraded_at`: with it the payment ends."""

    instance_id: str
    upgrade_id: str
    order_id: str
    upgraded_at: Instant
    paid: Funds
    components: tuple[Component, ...]
    duration_discounts: tuple[DurationDiscount, ...] = ()
    currency: Currency


class InstanceReturnQuoted(Shape, frozen=True, kw_only=True):
    quote_id: str
    instance_id: str
    expires_at: Instant
    rule: RefundRule | None = None
    gross: Minor
    fee: Minor
    amount: Minor
    parts: Parts | None = None
    violations: tuple[Violation, ...] = ()
    working: tuple[WorkingStep, ...]
    currency: Currency


class InstanceDowngradeQuoted(Shape, frozen=True, kw_only=True):
    quote_id: str
    instance_id: str
    components: tuple[Component, ...]
    duration_discounts: tuple[DurationDiscount, ...] = ()
    expires_at: Instant
    rule: RefundRule | None = None
    gross: Minor
    fee: Minor
    amount: Minor
    parts: Parts | None = None
    violations: tuple[Violation, ...] = ()
    working: tuple[WorkingStep, ...]
    currency: Currency


class InstanceDowngraded(Shape, frozen=True, kw_only=True):
    """`left` is what counts as paid for the running order from here on, and `downgraded_at` is from
    when on its use is valued, at the new prices. Its upgrades are a part of what is left.
    """

    instance_id: str
    order_id: str
    refund_id: str
    downgraded_at: Instant
    components: tuple[Component, ...]
    duration_discounts: tuple[DurationDiscount, ...] = ()
    left: Funds
    currency: Currency


class InstanceIsolated(Shape, frozen=True, kw_only=True):
    instance_id: str
    isolation_id: str
    reason: IsolationReason
    isolated_at: Instant
    restore_until: Instant
    charges_stopped_at: Instant


class InstanceRestored(Shape, frozen=True, kw_only=True):
    instance_id: str
    isolation_id: str
    renewal_order_id: str | None = None
    restored_at: Instant


class InstanceDestroyed(Shape, frozen=True, kw_only=True):
    instance_id: str
    isolation_id: str
    reason: DestructionReason
    data_purged: bool
    ip_released: bool


InstanceEvent = (
    InstanceOrderRecorded
    | PostpaidInstanceStarted
    | InstanceUpgraded
    | InstanceReturnQuoted
    | InstanceDowngradeQuoted
    | InstanceDowngraded
    | InstanceIsolated
    | InstanceRestored
    | InstanceDestroyed
)
