"""What must hold between the fields that say what was before the ledger was adopted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.values.wording import Wording, worded
from ledger.vocabulary.commands import (
    RecordMarketplacePurchase,
    RecordOpeningPosition,
    RecordReservationPurchase,
)

Fault = tuple[str, object, Wording]
"""The path of a field, its value, and what it must be."""


def position_faults(position: RecordOpeningPosition) -> Iterator[Fault]:
    """References and credits each once; a credit of nothing is none."""
    references = [use.reference for use in position.cap_uses]
    yield from _repeated(references, "cap_uses[{}].reference", worded("a reference once"))
    credit_ids = [credit.credit_id for credit in position.held_credits]
    yield from _repeated(credit_ids, "held_credits[{}].credit_id", worded("a credit once"))
    for index, credit in enumerate(position.held_credits):
        if not credit.amount:
            yield f"held_credits[{index}].amount", 0, worded("an amount above 0")


def purchase_faults(bought: RecordMarketplacePurchase) -> Iterator[Fault]:
    """At most what was paid went back, by fund."""
    if bought.refunded is None:
        return
    for fund in ("cash", "gift"):
        refunded, paid = getattr(bought.refunded, fund), getattr(bought.paid, fund)
        if refunded > paid:
            most = worded("at most what was paid, {paid} minor units", paid=paid)
            yield f"refunded.{fund}", refunded, most


def reservation_faults(bought: RecordReservationPurchase) -> Iterator[Fault]:
    """A reservation of which nothing is left is not recorded."""
    returned, refunded = bought.returned_quantity or 0, bought.refunded or 0
    if returned >= bought.quantity:
        most = worded("a whole number from 0 to {most}, below quantity", most=bought.quantity - 1)
        yield "returned_quantity", returned, most
    if refunded and not returned:
        yield "refunded", refunded, worded("nothing: without returned_quantity none went back")
    elif refunded > bought.total:
        most = worded("at most the total, {total} minor units", total=bought.total)
        yield "refunded", refunded, most


def _repeated(ids: Sequence[str], path: str, expected: Wording) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, one in enumerate(ids):
        if one in seen:
            yield path.format(index), one, expected
        seen.add(one)
