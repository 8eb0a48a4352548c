"""Bodies of commands as stories need them, with a sensible value for all that does not matter."""

from __future__ import annotations

from ledger.values.instants import DAY, Instant, parse_instant
from ledger.values.money import Micros, Minor
from ledger.vocabulary.commands import (
    DowngradeInstance,
    QuoteInstanceDowngrade,
    RecordInstanceOrder,
    RecordInstanceUpgrade,
    ReturnInstance,
    StartPostpaidInstance,
)
from ledger.vocabulary.shapes import (
    Channel,
    Component,
    DurationDiscount,
    Funds,
    LadderStep,
    OrderKind,
    OrderLine,
)

YEAR = 365 * DAY


def paid(cash: Minor = 0, gift: Minor = 0, voucher: Minor = 0) -> Funds:
    """A payment in minor units."""
    return Funds(cash=cash, gift=gift, voucher=voucher)


def component(
    name: str = "compute",
    *,
    list_monthly: Micros = 51_000_000,
    hourly: Micros | tuple[tuple[int, Micros], ...] = 420_000,
) -> Component:
    """A priced part: 51.00 a month, 0.42 an hour; or a ladder of (from_hours, hourly)."""
    rungs = ((0, hourly),) if isinstance(hourly, int) else hourly
    ladder = tuple(LadderStep(from_hours=hours, hourly=price) for hours, price in rungs)
    return Component(name=name, list_monthly=list_monthly, payg=ladder)


def line(
    instance_id: str = "i-1",
    funds: Funds | None = None,
    *components: Component,
    discounts: tuple[tuple[int, str], ...] = (),
) -> OrderLine:
    """One instance of an order; 407.96 cash and a voucher of 100.00 unless told otherwise."""
    return OrderLine(
        instance_id=instance_id,
        product="cvm.s5.medium2",
        region="ap-guangzhou",
        paid=paid(40_796, voucher=10_000) if funds is None else funds,
        components=components or (component(),),
        duration_discounts=tuple(
            DurationDiscount(from_months=months, factor=factor) for months, factor in discounts
        ),
    )


def order(
    order_id: str,
    *lines: OrderLine,
    starts_at: str | Instant,
    ends_at: str | Instant | None = None,
    delivered_at: Instant | None = None,
    kind: OrderKind = OrderKind.NEW,
    channel: Channel = Channel.STANDARD,
    currency: str = "CNY",
) -> RecordInstanceOrder:
    """An order of one line and 365 days unless told otherwise."""
    start = instant(starts_at)
    return RecordInstanceOrder(
        order_id=order_id,
        kind=kind,
        channel=channel,
        starts_at=start,
        ends_at=start + YEAR if ends_at is None else instant(ends_at),
        delivered_at=delivered_at,
        lines=lines or (line(),),
        currency=currency,
    )


def renewal(
    order_id: str,
    *lines: OrderLine,
    starts_at: str | Instant,
    ends_at: str | Instant | None = None,
    channel: Channel = Channel.STANDARD,
    currency: str = "CNY",
) -> RecordInstanceOrder:
    """An order that prolongs an instance."""
    return order(
        order_id,
        *lines,
        starts_at=starts_at,
        ends_at=ends_at,
        kind=OrderKind.RENEWAL,
        channel=channel,
        currency=currency,
    )


def conversion(
    order_id: str,
    *lines: OrderLine,
    starts_at: str | Instant,
    ends_at: str | Instant | None = None,
    currency: str = "CNY",
) -> RecordInstanceOrder:
    """An order that makes an instance paid by use a prepaid one."""
    return order(
        order_id,
        *lines,
        starts_at=starts_at,
        ends_at=ends_at,
        kind=OrderKind.CONVERSION,
        currency=currency,
    )


def upgrade(
    upgrade_id: str,
    funds: Funds | None = None,
    *,
    at: str | Instant,
    instance_id: str = "i-1",
    currency: str = "CNY",
) -> RecordInstanceUpgrade:
    """A larger configuration, for 100.00 cash unless told otherwise."""
    return RecordInstanceUpgrade(
        instance_id=instance_id,
        upgrade_id=upgrade_id,
        upgraded_at=instant(at),
        paid=paid(10_000) if funds is None else funds,
        components=(component(list_monthly=102_000_000, hourly=840_000),),
        currency=currency,
    )


def smaller(
    *components: Component,
    discounts: tuple[tuple[int, str], ...] = ((6, "0.88"),),
    instance_id: str = "i-1",
    currency: str = "CNY",
) -> QuoteInstanceDowngrade:
    """Asks for a smaller configuration: 25.50 a month, 0.21 an hour unless told otherwise."""
    return QuoteInstanceDowngrade(
        instance_id=instance_id,
        components=components or (component(list_monthly=25_500_000, hourly=210_000),),
        duration_discounts=tuple(
            DurationDiscount(from_months=months, factor=factor) for months, factor in discounts
        ),
        currency=currency,
    )


def downgrading(
    asked: QuoteInstanceDowngrade,
    quote_id: str | None = None,
    amount: Minor | None = None,
    *,
    acknowledged: bool = True,
) -> DowngradeInstance:
    """The downgrade asked for; without a quote it is one that only SUPPORT may make."""
    return DowngradeInstance(
        instance_id=asked.instance_id,
        components=asked.components,
        duration_discounts=asked.duration_discounts,
        quote_id=quote_id,
        acknowledged=acknowledged,
        confirmed_amount=amount,
        currency=asked.currency,
    )


def postpaid(instance_id: str = "i-1") -> StartPostpaidInstance:
    """An instance paid by use."""
    return StartPostpaidInstance(
        instance_id=instance_id, product="cvm.s5.medium2", region="ap-guangzhou"
    )


def returning(
    instance_id: str = "i-1",
    quote_id: str | None = None,
    amount: Minor | None = None,
    *,
    acknowledged: bool = True,
    currency: str | None = None,
) -> ReturnInstance:
    """A return; without a quote it is one that only SUPPORT may make."""
    return ReturnInstance(
        instance_id=instance_id,
        quote_id=quote_id,
        acknowledged=acknowledged,
        confirmed_amount=amount,
        currency=currency or (None if amount is None else "CNY"),
    )


def instant(when: str | Instant) -> Instant:
    """Micros, from micros or from a text."""
    return parse_instant(when) if isinstance(when, str) else when
