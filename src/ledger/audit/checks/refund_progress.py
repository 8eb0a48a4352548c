"""Refund progress: a refund is paid out once, in full, and to its account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.audit.kept import Kept
from ledger.vocabulary.events import (
    BalanceCredited,
    CardRefundRequested,
    CommitmentCredited,
    CreditHeld,
    CreditMemoIssued,
    RefundCorrected,
    RefundHeld,
    RefundIssued,
    RefundOverpaid,
    RefundSettled,
    ReservationExchanged,
)
from ledger.vocabulary.shapes import HoldReason, Parts, Posting, Side

_PAYABLE = "refund_payable"
_OVERPAID = "customer_receivable"
_GATEWAY = "gateway"
_Paid = BalanceCredited | CommitmentCredited | CreditMemoIssued | CreditHeld | CardRefundRequested
_Step = _Paid | RefundSettled | RefundHeld | RefundCorrected | RefundOverpaid


class _Owed(Struct, frozen=True, kw_only=True):
    amount: int
    parts: Parts
    currency: str
    paid_out: bool = False
    settled: bool = False
    corrected: bool = False
    lines: tuple[Posting, ...] = ()


class RefundProgress:
    """Only an issued refund is settled, and only once; its amount is paid out fund by fund, in its
    currency, and only once unless the gateway failed; an overpayment is its amount a second time,
    when nothing is owed any more; a correction reverses all its postings, never while a card refund
    is pending, and nothing else comes after it.
    """

    heeds: ClassVar[tuple[type, ...]] = (
        BalanceCredited,
        CardRefundRequested,
        CommitmentCredited,
        CreditHeld,
        CreditMemoIssued,
        RefundCorrected,
        RefundHeld,
        RefundIssued,
        RefundOverpaid,
        RefundSettled,
        ReservationExchanged,
    )

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._refunds = kept

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Follow every refund of every account."""
        if not isinstance(seen, SeenEvent):
            return
        match seen.body:
            case RefundIssued() as issued:
                owed = _Owed(
                    amount=issued.amount,
                    parts=issued.parts,
                    currency=issued.currency,
                    lines=issued.postings,
                )
                yield from self._issued(seen, issued.refund_id, owed)
            case ReservationExchanged() as exchange:
                for leg in exchange.returned:
                    parts = Parts(original=leg.value)
                    owed = _Owed(
                        amount=leg.value,
                        parts=parts,
                        currency=exchange.currency,
                        lines=_of_leg(leg.value),
                    )
                    yield from self._issued(seen, leg.refund_id, owed)
            case (
                BalanceCredited()
                | CommitmentCredited()
                | CreditMemoIssued()
                | CreditHeld()
                | CardRefundRequested()
                | RefundSettled()
                | RefundHeld()
                | RefundCorrected()
                | RefundOverpaid()
            ) as step:
                yield from self._step(seen, step)
            case _:
                return

    def _issued(self, seen: SeenEvent, refund_id: str, owed: _Owed) -> Iterator[Divergence]:
        if self._refunds.find(_Owed, seen.meta.account_id, refund_id) is not None:
            yield _at(seen, refund_id, "a refund issued once", "issued once more")
        self._refunds.keep(owed, seen.meta.account_id, refund_id)

    def _step(self, seen: SeenEvent, step: _Step) -> Iterator[Divergence]:
        owed = self._refunds.find(_Owed, seen.meta.account_id, step.refund_id)
        if owed is None:
            yield _at(seen, step.refund_id, "a refund that was issued", f"{seen.name} of none")
            return
        if owed.corrected and not isinstance(step, RefundOverpaid):
            yield _at(seen, step.refund_id, "nothing after its correction", seen.name)
        if step.currency != owed.currency:
            yield _at(seen, step.refund_id, owed.currency, step.currency)
        match step:
            case RefundSettled():
                yield from _settled(seen, step, owed)
                owed = replace(owed, settled=True)
            case RefundHeld(reason=HoldReason.GATEWAY_FAILED):
                yield from _open(seen, step.refund_id, owed)
                owed = replace(owed, paid_out=False)
            case RefundHeld():
                yield from _open(seen, step.refund_id, owed)
            case RefundOverpaid():
                yield from _overpaid(seen, step, owed)
            case RefundCorrected():
                yield from _reversed(seen, step, owed)
                owed = replace(owed, corrected=True)
            case _:
                yield from _open(seen, step.refund_id, owed)
                yield from _paid_out(seen, step, owed)
                owed = replace(owed, paid_out=True)
        owed = replace(owed, lines=(*owed.lines, *step.postings))
        self._refunds.keep(owed, seen.meta.account_id, step.refund_id)


def _of_leg(value: int) -> tuple[Posting, ...]:
    """The postings of an exchange for one returned leg."""
    return tuple(
        Posting(transaction=1, account=account, side=side, amount=value)
        for account, side in (("refunds", Side.DEBIT), (_PAYABLE, Side.CREDIT))
    )


def _reversed(seen: SeenEvent, step: RefundCorrected, owed: _Owed) -> Iterator[Divergence]:
    if owed.paid_out and not owed.settled:
        yield _at(seen, step.refund_id, "no correction while a card refund is under way", seen.name)
    standing: dict[str, int] = {}
    for line in (*owed.lines, *step.postings):
        signed = line.amount if line.side is Side.DEBIT else -line.amount
        standing[line.account] = standing.get(line.account, 0) + signed
    for account, amount in standing.items():
        if amount:
            yield _at(seen, step.refund_id, f"nothing left on {account}", f"{amount} left")


def _overpaid(seen: SeenEvent, step: RefundOverpaid, owed: _Owed) -> Iterator[Divergence]:
    if not owed.settled and not owed.corrected:
        yield _at(seen, step.refund_id, "overpaid once nothing is owed", "still owed")
    posted = {(line.account, line.side): line.amount for line in step.postings}
    expected = {(_OVERPAID, Side.DEBIT): owed.amount, (_GATEWAY, Side.CREDIT): owed.amount}
    if (step.amount, posted) != (owed.amount, expected):
        found = f"{step.amount} overpaid, posted {posted}"
        yield _at(seen, step.refund_id, f"{owed.amount} overpaid, the customer owes it", found)


def _open(seen: SeenEvent, refund_id: str, owed: _Owed) -> Iterator[Divergence]:
    if owed.settled:
        yield _at(seen, refund_id, "nothing but a correction once settled", seen.name)


def _paid_out(seen: SeenEvent, step: _Paid, owed: _Owed) -> Iterator[Divergence]:
    if owed.paid_out:
        yield _at(seen, step.refund_id, "paid out once", f"{seen.name} once more")
    if isinstance(step, BalanceCredited):
        expected = f"cash {owed.parts.cash or 0}, gift {owed.parts.gift or 0}"
        found = f"cash {step.cash}, gift {step.gift}"
    else:
        expected, found = f"amount {owed.amount}", f"amount {step.amount}"
    if expected != found:
        yield _at(seen, step.refund_id, expected, found)


def _settled(seen: SeenEvent, step: RefundSettled, owed: _Owed) -> Iterator[Divergence]:
    """Paid out before, or netted on an invoice by this event, or nothing was owed."""
    if owed.settled:
        yield _at(seen, step.refund_id, "settled once", "settled once more")
    netted = sum(
        line.amount
        for line in step.postings
        if line.account == _PAYABLE and line.side is Side.DEBIT
    )
    paid_out = owed.amount if owed.paid_out else 0
    if paid_out + netted != owed.amount:
        yield _at(seen, step.refund_id, f"{owed.amount} paid out", f"{paid_out + netted} paid out")


def _at(seen: SeenEvent, refund_id: str, expected: str, found: str) -> Divergence:
    return divergence(seen, f"refund {refund_id}", expected=expected, found=found)
