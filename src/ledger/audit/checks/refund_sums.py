"""Refund sums: the figures of a refund agree with each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.vocabulary.events import RefundIssued, ReservationExchanged


class RefundSums:
    """A refund's amount is its gross less its fee, and the sum of its parts, none of them negative;
    an exchange's totals are the sums of its legs, and its payable is their difference.
    """

    heeds: ClassVar[tuple[type, ...]] = (RefundIssued, ReservationExchanged)

    def __init__(self, audited: AuditedPartition) -> None:
        pass

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Check each event alone."""
        match seen:
            case SeenEvent(body=RefundIssued() as refund):
                yield from _refund(seen, refund)
            case SeenEvent(body=ReservationExchanged() as exchange):
                yield from _exchange(seen, exchange)
            case _:
                return


def _refund(seen: SeenEvent, refund: RefundIssued) -> Iterator[Divergence]:
    parts = (refund.parts.cash, refund.parts.gift, refund.parts.original)
    total = sum(part for part in parts if part is not None)
    facts = (
        ("amount", refund.gross - refund.fee, refund.amount),
        ("sum of parts", refund.amount, total),
    )
    for name, expected, found in facts:
        if expected != found:
            yield divergence(
                seen,
                f"refund {refund.refund_id}",
                expected=f"{name} {expected}",
                found=f"{name} {found}",
            )
    least = min(refund.fee, refund.amount, *(part for part in parts if part is not None))
    if least < 0:
        yield divergence(
            seen, f"refund {refund.refund_id}", expected="no negative figure", found=least
        )


def _exchange(seen: SeenEvent, exchange: ReservationExchanged) -> Iterator[Divergence]:
    returned = sum(leg.value for leg in exchange.returned)
    purchased = sum(leg.total for leg in exchange.purchased)
    facts = (
        ("returned_total", returned, exchange.returned_total),
        ("purchased_total", purchased, exchange.purchased_total),
        ("payable", purchased - returned, exchange.payable),
    )
    for name, expected, found in facts:
        if expected != found:
            yield divergence(
                seen, seen.name, expected=f"{name} {expected}", found=f"{name} {found}"
            )
