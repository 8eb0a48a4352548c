"""Postings balance: the stored debits and credits are equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.vocabulary.events import EVENTS
from ledger.vocabulary.shapes import Posting, Side


class PostingsBalance:
    """In every journal transaction of every event the debits equal the credits, in the event's
    currency, and the amount of every line is more than 0.
    """

    heeds: ClassVar[tuple[type, ...]] = tuple(
        kind for kind in EVENTS.values() if "postings" in kind.__struct_fields__
    )

    def __init__(self, audited: AuditedPartition) -> None:
        pass

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Check each event alone."""
        if not isinstance(seen, SeenEvent):
            return
        postings: Sequence[Posting] = getattr(seen.body, "postings", ())
        sums: dict[int, dict[Side, int]] = {}
        for line in postings:
            sides = sums.setdefault(line.transaction, {Side.DEBIT: 0, Side.CREDIT: 0})
            sides[line.side] += line.amount
            if line.amount <= 0:
                yield divergence(
                    seen,
                    seen.name,
                    expected=f"more than 0 on {line.account}",
                    found=f"{line.side} {line.amount}",
                )
        currency = getattr(seen.body, "currency", "")
        for transaction, sides in sums.items():
            debit, credit = sides[Side.DEBIT], sides[Side.CREDIT]
            if debit != credit:
                yield divergence(
                    seen,
                    seen.name,
                    expected=f"journal transaction {transaction}: credits of {debit} {currency}",
                    found=f"credits of {credit} {currency}",
                )
