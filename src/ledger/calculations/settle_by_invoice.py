"""Settle by invoice: a purchase paid by invoice consumes held credits, the oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from ledger.state.account_entities import HeldCredit
from ledger.values.money import Minor


class Consumption(Struct, frozen=True, kw_only=True):
    """A part of one credit, used up by one purchase."""

    credit_id: str
    reservation_id: str
    amount: Minor


def consumed(
    credits: Iterable[HeldCredit],
    available: Minor,
    purchases: Sequence[tuple[str, Minor]],
    payable: Minor,
) -> tuple[Consumption, ...]:
    """What purchases of (reservation, total) consume of the credits, oldest first: at most
    `payable` in all, and at most what is `available`: what is left of all, less what is overdrawn.

    Source: seed 003 (并调整对未来的预订购买). What earlier purchases have overdrawn is not there
    to be consumed again.

    By hand: credits of 30.00 and 50.00 are held; 60.00 is bought: 30.00 of the first, 30.00 of the
    second, of which 20.00 stay. The first one's refund is corrected: 30.00 are overdrawn, so of the
    20.00 nothing can be consumed.
    """
    room = min(payable, available)
    found: list[Consumption] = []
    to_consume = iter(credits)
    credit_id, left = _next(to_consume) if room > 0 else ("", 0)
    for reservation_id, total in purchases:
        owed = min(total, room)
        room -= max(0, owed)
        while owed > 0:
            amount = min(owed, left)
            found.append(
                Consumption(credit_id=credit_id, reservation_id=reservation_id, amount=amount)
            )
            owed, left = owed - amount, left - amount
            if not left:
                credit_id, left = _next(to_consume)
    return tuple(found)


def _next(credits: Iterator[HeldCredit]) -> tuple[str, Minor]:
    credit = next(credits, None)
    return ("", 0) if credit is None else (credit.credit_id, credit.left)
