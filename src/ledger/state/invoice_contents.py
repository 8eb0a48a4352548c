"""The contents of an invoice: its purchases, and how returns change them.

Every purchase is on one invoice with its price, its refunds, and the value of the returned
reservations that it was netted with. When the invoice is cancelled, purchases that are not returned
are carried to the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from msgspec.structs import replace

from ledger.state.entities import Reservation
from ledger.values.money import Minor, round_half_up
from ledger.vocabulary.shapes import InvoicedPurchase

Contents = tuple[InvoicedPurchase, ...]


def bought(reservation_id: str, reservation: Reservation) -> InvoicedPurchase:
    """A purchase as its first invoice shows it: all of it, at its price, and what of it went back
    before the ledger heard of it.
    """
    return InvoicedPurchase(
        reservation_id=reservation_id,
        quantity=reservation.original_quantity,
        price=reservation.total,
        refunded=reservation.refunded_before,
        netted=0,
        carried=False,
    )


def shows(contents: Contents, reservation_id: str) -> bool:
    """Whether the purchase is among them."""
    return any(each.reservation_id == reservation_id for each in contents)


def with_refund(contents: Contents, reservation_id: str, amount: Minor) -> Contents:
    """A refund of one of them is shown; a negative amount takes one back."""
    return tuple(
        replace(each, refunded=each.refunded + amount)
        if each.reservation_id == reservation_id
        else each
        for each in contents
    )


def without_units(
    contents: Contents, reservation_id: str, quantity: int, reservation: Reservation
) -> Contents:
    """Units given back for other reservations are shown no more, nor their price.

    By hand: 2 units for 200.00, one exchanged: 1 unit for 100.00 stays. Of 3 for 100.00 one goes:
    half-up(100.00 × 2 / 3) = 66.67 stays. Of which all goes, nothing stays.
    """
    kept: list[InvoicedPurchase] = []
    for each in contents:
        if each.reservation_id != reservation_id:
            kept.append(each)
        elif each.quantity > quantity:
            left = each.quantity - quantity
            share = Fraction(left, reservation.original_quantity)
            price = round_half_up(reservation.total * share)
            kept.append(replace(each, quantity=left, price=max(price, each.refunded)))
    return tuple(kept)


def with_value(contents: Contents, reservation_ids: Sequence[str], value: Minor) -> Contents:
    """The value of what was returned pays for the purchases it is netted with, in their order, each
    at most for its price.

    By hand: 120.00 returned for n-1, 100.00, and n-2, 200.00: 100.00 for n-1 and 20.00 for n-2.
    """
    room = {each.reservation_id: each.price - each.netted for each in contents}
    return _netted(contents, _filled(reservation_ids, room, value), 1)


def without_value(contents: Contents, reservation_ids: Sequence[str], value: Minor) -> Contents:
    """A returned value that was taken back pays no more: the last purchases lose it first."""
    paid = {each.reservation_id: each.netted for each in contents}
    return _netted(contents, _filled(reservation_ids[::-1], paid, value), -1)


def _filled(ids: Sequence[str], room: Mapping[str, Minor], value: Minor) -> dict[str, Minor]:
    """The value dealt out in this order, each as much as there is room."""
    filled: dict[str, Minor] = {}
    for each in ids:
        filled[each] = min(value - sum(filled.values()), room.get(each, 0))
    return filled


def _netted(contents: Contents, shares: Mapping[str, Minor], sign: int) -> Contents:
    return tuple(
        replace(each, netted=each.netted + sign * shares.get(each.reservation_id, 0))
        for each in contents
    )


def price_of(contents: Contents) -> Minor:
    """The amount of the PURCHASE line."""
    return sum(each.price for each in contents)


def refunded_of(contents: Contents) -> Minor:
    """What the REFUND line shows: the refunds, and values netted as far as they are still used.

    By hand: 250.00 bought with a value of 100.00: 100.00. All of it given back: 250.00 is shown,
    and the value no more; the total is 0.00. Of half of it: 125.00 and the 100.00.
    """
    return sum(each.refunded + min(each.netted, each.price - each.refunded) for each in contents)


def carried(contents: Contents, but: Sequence[str] = ()) -> Contents:
    """The same, as they are shown on a new invoice; those of this act are not carried."""
    return tuple(replace(each, carried=each.reservation_id not in but) for each in contents)
