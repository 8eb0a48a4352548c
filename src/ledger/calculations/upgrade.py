"""Upgrade: a larger configuration goes back by whole days, and ends the order's own valuation."""

from __future__ import annotations

from ledger.calculations.value_used import ValueUsed, use_begins, value_used
from ledger.calculations.working import amount, exact_minor, step
from ledger.state.entities import InstanceOrder, Upgrade
from ledger.terms.table import Terms, UpgradeUseUntil
from ledger.values.instants import DAY, Instant, begun_days
from ledger.values.money import Currency, Exact, exact
from ledger.vocabulary.shapes import WorkingStep


def own_use(order: InstanceOrder, until: Instant, currency: Currency, terms: Terms) -> ValueUsed:
    """The value used of an order, valued up to its first upgrade, if it has one.

    Source: the page on calculating a refund that seed 000 links to. Where the terms say RETURN, it
    is valued on to the return at the configuration it was bought with; the working has both.

    By hand: 0.42 an hour, upgraded after 12 h, returned after 72 h: 12 × 0.42 = 5.04 is used; with
    RETURN 72 × 0.42 = 30.24.
    """
    to_the_return = value_used(order, until, currency, terms.time_zone)
    ends = [upgrade.upgraded_at for upgrade in order.upgrades if _is_newest(order, upgrade)]
    if not ends:
        return to_the_return
    first = min(ends)
    to_the_upgrade = value_used(order, min(first, until), currency, terms.time_zone)
    at_once = terms.upgrade_use_until is UpgradeUseUntil.UPGRADE
    counted = to_the_upgrade if at_once else to_the_return
    chosen = step(
        "own_use",
        exact_minor(counted.exact, currency),
        order=order.order_id,
        until_the_upgrade=exact_minor(to_the_upgrade.exact, currency),
        until_the_return=exact_minor(to_the_return.exact, currency),
        counted_until=terms.upgrade_use_until,
    )
    return ValueUsed(exact=counted.exact, working=(*counted.working, chosen))


def _is_newest(order: InstanceOrder, upgrade: Upgrade) -> bool:
    """Not one that a downgrade followed, though it was recorded only afterwards."""
    return order.downgraded_at is None or upgrade.upgraded_at >= order.downgraded_at


def upgrade_left(
    order: InstanceOrder, upgrade: Upgrade, at: Instant, currency: Currency
) -> tuple[Exact, WorkingStep]:
    """What is left of an upgrade's payment: paid × (days − days used) / days, exact.

    Source: as above. `days` are the whole days of the order's term, a used day counts from its
    beginning; they are counted from where the order's use is, not from the upgrade. A term of less
    than a day is one day.

    By hand: 100.00 for an order of 365 days, returned after 72 h: 100.00 × 362 / 365 = 99.178…; a
    microsecond later a fourth day is used: 100.00 × 361 / 365.
    """
    days = max(1, (order.ends_at - order.starts_at) // DAY)
    used = min(days, begun_days(use_begins(order), at))
    paid = upgrade.paid.cash + upgrade.paid.gift
    left = exact(paid * (days - used), days)
    working = step(
        "upgrade_left",
        exact_minor(left, currency),
        upgrade=upgrade.upgrade_id,
        order=order.order_id,
        cash=amount(upgrade.paid.cash, currency),
        gift=amount(upgrade.paid.gift, currency),
        voucher_not_returned=amount(upgrade.paid.voucher, currency),
        days=str(days),
        days_used=str(used),
    )
    return left, working
