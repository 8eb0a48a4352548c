"""Settle by invoice: a purchase paid by invoice consumes held credits, the oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from ledger.state.entities import Account, HeldCredit
from ledger.values.money import Minor


class Consumption(Struct, frozen=True, kw_only=True):
    """A part of one credit, used up by one purchase."""

    credit_id: str
    reservation_id: str
    amount: Minor


def consumed(
    account: Account, purchases: Sequence[tuple[str, Minor]], payable: Minor
) -> tuple[Consumption, ...]:
    """What purchases of (reservation, total) consume, at most `payable` in all.

    Source: seed 003 (并调整对未来的预订购买). What earlier purchases have overdrawn is not there
    to be consumed again.

    By hand: credits of 30.00 and 50.00 are held; 60.00 is bought: 30.00 of the first, 30.00 of the
    second, of which 20.00 stay. The first one's refund is corrected: 30.00 are overdrawn, so of the
    20.00 nothing can be consumed.
    """
    held = sum(credit.left for credit in account.held_credits)
    room = min(payable, held - account.credit_overdrawn)
    found: list[Consumption] = []
    credits = _open(account.held_credits)
    credit_id, left = next(credits, ("", 0))
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
                credit_id, left = next(credits, ("", 0))
    return tuple(found)


def _open(credits: Iterable[HeldCredit]) -> Iterator[tuple[str, Minor]]:
    return ((credit.credit_id, credit.left) for credit in credits)
