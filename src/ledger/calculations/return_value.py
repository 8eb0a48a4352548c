"""Return value: what giving back an instance is worth now, exact, before anything is rounded."""

from __future__ import annotations

from msgspec import Struct

from ledger.calculations.counted_orders import CountedOrders, paid_for
from ledger.calculations.upgrade import own_use, upgrade_left
from ledger.terms.table import Terms
from ledger.values.instants import Instant
from ledger.values.money import Currency, Exact, Minor, exact_sum
from ledger.vocabulary.shapes import WorkingStep


class UpgradesLeft(Struct, frozen=True, kw_only=True):
    """What is left of all upgrades of the counted orders, exact, and what was paid for them."""

    exact: Exact
    cash: Minor
    gift: Minor
    working: tuple[WorkingStep, ...]


class ReturnValue(Struct, frozen=True, kw_only=True):
    """`given` less `used` is what an ordinary return is worth; `paid` is all that was paid in cash
    and in gift money, orders and upgrades pooled.
    """

    given: Exact
    used: Exact
    paid: tuple[Minor, Minor]
    upgrades: UpgradesLeft
    working: tuple[WorkingStep, ...]


def upgrades_left(orders: CountedOrders, at: Instant, currency: Currency) -> UpgradesLeft:
    """Of the running order by days; of one not yet started nothing is used.

    By hand: 100.00 with 362 of 365 days left and 50.00 for a renewal to come: 99.178… + 50.00.
    """
    upgrades = [(order, upgrade) for order in orders.all for upgrade in order.upgrades]
    left = [upgrade_left(order, upgrade, at, currency) for order, upgrade in upgrades]
    return UpgradesLeft(
        exact=exact_sum([exact for exact, _ in left]),
        cash=sum(upgrade.paid.cash for _, upgrade in upgrades),
        gift=sum(upgrade.paid.gift for _, upgrade in upgrades),
        working=tuple(working for _, working in left),
    )


def return_value(
    orders: CountedOrders, valued_at: Instant, currency: Currency, terms: Terms
) -> ReturnValue:
    """Paid for the orders + what is left of their upgrades − the running order's own use.

    Source: seed 000 and the page on calculating a refund that it links to. By hand: paid 407.96,
    an upgrade of 100.00 with 362 of 365 days left, 12 h at 0.42 used: 407.96 + 99.178… − 5.04.
    """
    upgrades = upgrades_left(orders, valued_at, currency)
    used: Exact = 0
    working: tuple[WorkingStep, ...] = ()
    if orders.running is not None:
        own = own_use(orders.running, valued_at, currency, terms)
        used, working = own.exact, own.working
    return ReturnValue(
        given=orders.cash + orders.gift + upgrades.exact,
        used=used,
        paid=(orders.cash + upgrades.cash, orders.gift + upgrades.gift),
        upgrades=upgrades,
        working=(*(paid_for(order, currency) for order in orders.all), *working, *upgrades.working),
    )
