"""Counted orders: which orders of an instance a return gives back, and what was paid for them."""

from __future__ import annotations

from msgspec import Struct

from ledger.calculations.working import amount, step
from ledger.state.entities import Instance, InstanceOrder
from ledger.values.instants import Instant, format_instant
from ledger.values.money import Currency, Minor
from ledger.vocabulary.shapes import OrderKind, WorkingStep


class CountedOrders(Struct, frozen=True, kw_only=True):
    """The orders a return gives back: the running one, and those not yet started."""

    running: InstanceOrder | None
    to_come: tuple[InstanceOrder, ...]

    @property
    def all(self) -> tuple[InstanceOrder, ...]:
        """The running order first."""
        return ((self.running,) if self.running else ()) + self.to_come

    @property
    def cash(self) -> Minor:
        """What was paid for them in cash, upgrades not included."""
        return sum(order.line.paid.cash for order in self.all)

    @property
    def gift(self) -> Minor:
        """What was paid for them in gift money, upgrades not included."""
        return sum(order.line.paid.gift for order in self.all)


def counted_orders(instance: Instance, now: Instant) -> CountedOrders:
    """The live orders that have not ended: the latest that has started, and the later ones.

    A NEW order or a CONVERSION counts as running before its start too: its instance may have been
    delivered, and no other order ran before it.
    """
    live = [order for order in instance.orders if now < order.ends_at]
    begun = [
        order for order in live if order.kind is not OrderKind.RENEWAL or order.starts_at <= now
    ]
    to_come = tuple(order for order in live if order not in begun)
    return CountedOrders(running=begun[-1] if begun else None, to_come=to_come)


def paid_for(order: InstanceOrder, currency: Currency) -> WorkingStep:
    """What was paid for an order, fund by fund; since a downgrade, what was left of it then."""
    paid, at = order.line.paid, order.downgraded_at
    return step(
        "paid" if at is None else "left_after_downgrade",
        amount(paid.cash + paid.gift, currency),
        order=order.order_id,
        **({} if at is None else {"downgraded_at": format_instant(at)}),
        cash=amount(paid.cash, currency),
        gift=amount(paid.gift, currency),
        voucher_not_returned=amount(paid.voucher, currency),
    )
