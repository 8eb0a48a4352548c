"""What may come next for an instance: ordered, changed, given back, restored; by a few picks."""

from __future__ import annotations

from typing import Any

from ledger.state.entities import Instance, InstanceStatus
from ledger.values.instants import DAY
from ledger.vocabulary.commands import (
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    ExpireInstance,
    QuoteInstanceReturn,
    RestoreInstance,
    ReturnInstance,
    TakeInstanceOffline,
)
from ledger.vocabulary.events import CommandRefused, RefundIssued, ReservationExchanged
from ledger.vocabulary.shapes import Channel, OrderKind, Role
from tests.bodies import (
    component,
    conversion,
    downgrading,
    line,
    order,
    paid,
    postpaid,
    smaller,
    upgrade,
)
from tests.properties.world import World

SUPPORT, OWNER = Role.SUPPORT, Role.OWNER


def order_instances(w: World, a: int, b: int, amount: int) -> None:
    """One or two new instances."""
    lines = [
        line(
            w.fresh("i", taken=a % 16 == 15),
            paid(amount * (b % 3) // 2, amount * (a % 3), amount % 100),
            component(list_monthly=amount * 10, hourly=((0, amount * 20), (10, amount * 9))),
            discounts=((1, "0.9"), (6, "0.123456789012")),
        )
        for _ in range(1 + a % 2)
    ]
    start = w.s.now - (b % 4) * DAY
    w.give(
        order(
            w.fresh("o", taken=b % 16 == 15),
            *lines,
            starts_at=start,
            ends_at=start + (1 + a * 7) * DAY,
            channel=Channel.PROMOTION if a % 5 == 4 else Channel.STANDARD,
            currency="EUR" if a == b == 7 else w.currency,
        )
    )


def renew(w: World, a: int, b: int, amount: int) -> None:
    """A renewal, sometimes with the restore that it allows."""
    instance_id, found = w.some(Instance, a)
    start = w.s.now
    if found is not None and found.orders:
        start = found.orders[-1].ends_at
    order_id = w.fresh("o")
    bought_again = order(
        order_id,
        line(instance_id, paid(amount, amount * (b % 2)), component(hourly=amount)),
        starts_at=start + (b == 63),
        ends_at=start + (1 + b) * DAY,
        kind=OrderKind.RENEWAL,
        currency=w.currency,
    )
    w.give(bought_again)
    if b % 2:
        w.give(RestoreInstance(instance_id=instance_id, renewal_order_id=order_id))


def convert(w: World, a: int, b: int, amount: int) -> None:
    """One paid by use becomes prepaid."""
    instance_id, _ = w.some(Instance, a)
    if b % 3:
        instance_id = w.fresh("i")
        w.give(postpaid(instance_id))
    funds = paid(amount, amount * (b % 2))
    bought_now = line(instance_id, funds, component(list_monthly=amount * 10, hourly=amount * 9))
    start = w.s.now + (b % 4 - 2) * DAY
    w.give(conversion(w.fresh("o"), bought_now, starts_at=start, currency=w.currency))


def enlarge(w: World, a: int, b: int, amount: int) -> None:
    """A larger configuration, recorded early, late or never in time."""
    instance_id = _running(w, a, b)
    w.give(
        upgrade(
            w.fresh("u", taken=b % 16 == 15),
            paid(amount * (b % 3) // 2, amount * (a % 3), amount % 100),
            at=max(0, w.s.now + (b % 6 - 4) * DAY),
            instance_id=instance_id,
            currency="EUR" if a == b == 7 else w.currency,
        )
    )


def shrink(w: World, a: int, b: int, amount: int) -> None:
    """Mostly cheaper, sometimes dearer than what runs; now and then acted on a little later."""
    what = smaller(
        component(list_monthly=amount * (1 + b % 9) * 1_000, hourly=amount * (1 + a % 3)),
        discounts=((1, "0.9"), (6, "0.123456789012")),
        instance_id=_running(w, a, b),
        currency=w.currency,
    )
    role = SUPPORT if b % 4 == 3 else OWNER
    (quoted,) = w.give(what, role)
    if isinstance(quoted, CommandRefused):
        return
    found: Any = quoted
    w.s.later((b % 8) * 200_000_000)
    w.give(downgrading(what, found.quote_id, found.amount), role)
    if b % 8 == 0:
        is_as_quoted(w, found)


def give_back(w: World, a: int, b: int, _: int) -> None:
    """A quote and the act on it, at once or later."""
    instance_id = _running(w, a, b)
    role = SUPPORT if b % 4 == 3 else OWNER
    (quoted,) = w.give(QuoteInstanceReturn(instance_id=instance_id), role)
    if isinstance(quoted, CommandRefused):
        return
    found: Any = quoted
    w.s.later((b % 8) * 200_000_000)
    act = ReturnInstance(
        instance_id=instance_id,
        quote_id=found.quote_id,
        acknowledged=True,
        confirmed_amount=found.amount,
        currency=w.currency,
    )
    w.give(act, role)
    if b % 8 == 0:
        is_as_quoted(w, found)


def restore(w: World, a: int, b: int, _: int) -> None:
    """Out of the bin, by the renewal there is or by none."""
    instance_id, found = w.some(Instance, a)
    named = found.orders[-1].order_id if found is not None and found.orders else None
    w.give(RestoreInstance(instance_id=instance_id, renewal_order_id=named if b % 4 else "o-1"))


def instance_timer(w: World, a: int, b: int, _: int) -> None:
    """A deadline's command, current or stale."""
    instance_id, found = w.some(Instance, a)
    if found is not None and found.isolation is not None and b % 4:
        isolation_id = found.isolation.isolation_id if b % 8 != 7 else "isolation-404"
        w.give(DestroyIsolatedInstance(instance_id=instance_id, isolation_id=isolation_id))
        return
    named = found.orders[-1].order_id if found is not None and found.orders else "o-1"
    w.give(ExpireInstance(instance_id=instance_id, order_id=named))


def by_the_hour(w: World, a: int, b: int, _: int) -> None:
    """Started, destroyed, or taken offline."""
    if b % 3 == 0:
        w.give(postpaid(w.fresh("i")))
    elif b % 3 == 1:
        w.give(DestroyPostpaidInstance(instance_id=w.some(Instance, a)[0], acknowledged=b % 8 != 7))
    else:
        w.give(TakeInstanceOffline(instance_id=w.some(Instance, a)[0]))


def is_as_quoted(w: World, quoted: Any) -> None:
    """Acted on at once, a quote is what it said."""
    outcome = w.outcomes[-1]
    if quoted.violations:
        (refused,) = outcome
        assert isinstance(refused, CommandRefused)
        assert refused.violations == quoted.violations
        return
    (done,) = (b for b in outcome if isinstance(b, RefundIssued | ReservationExchanged))
    names = ("rule", "gross", "fee", "amount", "parts", "cap", "payable", "working")
    for name in set(names) & set(quoted.__struct_fields__) & set(done.__struct_fields__):
        assert getattr(done, name) == getattr(quoted, name), name


def _running(w: World, a: int, b: int) -> str:
    """Mostly an instance that runs."""
    running = [one for one, it in w.all(Instance) if it.status is InstanceStatus.RUNNING]
    return running[a % len(running)] if running and b % 8 != 7 else w.some(Instance, a)[0]
