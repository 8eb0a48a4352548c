"""Gateway answers: each is of a card refund that was asked for, and each payment is booked once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.audit.kept import Kept
from ledger.vocabulary.events import (
    CardRefundRequested,
    GatewayAnswerRecorded,
    RefundCorrected,
    RefundHeld,
    RefundOverpaid,
    RefundSettled,
)
from ledger.vocabulary.shapes import GatewayAnswer

_Answer = RefundSettled | RefundHeld | RefundOverpaid | GatewayAnswerRecorded


class _Attempt(Struct, kw_only=True):
    """The references of the answers that it was paid, and that it was not."""

    paid: list[str] = []
    failed: list[str] = []


class _Asked(Struct, kw_only=True):
    """Every card refund that was asked for of one refund, in order."""

    attempts: list[_Attempt] = []

    @property
    def under_way(self) -> bool:
        """Has the last one no answer yet?"""
        return bool(self.attempts) and not self.attempts[-1].paid and not self.attempts[-1].failed


class GatewayAnswers:
    """Card refunds are numbered from 1, and the next one is asked for once the last was answered;
    an answer is of one that was asked for; the same answer stands once, and no failure after a
    confirmation; every reference the gateway paid under is booked once, as what settled the refund
    or as overpaid; nothing is corrected while one is under way.
    """

    heeds: ClassVar[tuple[type, ...]] = (
        CardRefundRequested,
        GatewayAnswerRecorded,
        RefundCorrected,
        RefundHeld,
        RefundOverpaid,
        RefundSettled,
    )

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._refunds = kept

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Follow the card refunds of every refund."""
        if not isinstance(seen, SeenEvent):
            return
        match seen.body:
            case CardRefundRequested() as request:
                yield from self._requested(seen, request)
            case RefundSettled() | RefundHeld() | RefundOverpaid() | GatewayAnswerRecorded() as one:
                if one.gateway_reference is not None:
                    yield from self._answered(seen, one, one.gateway_reference)
            case RefundCorrected(refund_id=refund_id):
                if self._asked(seen, refund_id).under_way:
                    yield _at(seen, refund_id, "every card refund answered", "one is under way")
            case _:
                return

    def _requested(self, seen: SeenEvent, request: CardRefundRequested) -> Iterator[Divergence]:
        asked = self._asked(seen, request.refund_id)
        if asked.under_way:
            expected = f"an answer of attempt {len(asked.attempts)} first"
            yield _at(seen, request.refund_id, expected, "asked for again")
        asked.attempts.append(_Attempt())
        number = len(asked.attempts)
        if request.attempt not in (None, number):
            yield _at(seen, request.refund_id, f"attempt {number}", f"attempt {request.attempt}")
        self._refunds.keep(asked, seen.meta.account_id, request.refund_id)

    def _answered(self, seen: SeenEvent, answer: _Answer, reference: str) -> Iterator[Divergence]:
        asked = self._asked(seen, answer.refund_id)
        number = len(asked.attempts) if answer.attempt is None else answer.attempt
        if not 1 <= number <= len(asked.attempts):
            expected, found = f"one of {len(asked.attempts)} attempts", f"attempt {number}"
            yield _at(seen, answer.refund_id, expected, found)
            return
        for expected in _contradicted(answer, reference, asked, asked.attempts[number - 1]):
            found = f"{seen.name} of attempt {number} under {reference}"
            yield _at(seen, answer.refund_id, expected, found)
        attempt = asked.attempts[number - 1]
        (attempt.paid if _says_paid(answer) else attempt.failed).append(reference)
        self._refunds.keep(asked, seen.meta.account_id, answer.refund_id)

    def _asked(self, seen: SeenEvent, refund_id: str) -> _Asked:
        return self._refunds.find(_Asked, seen.meta.account_id, refund_id) or _Asked()


def _contradicted(
    answer: _Answer, reference: str, asked: _Asked, attempt: _Attempt
) -> Iterator[str]:
    """What an answer should have been, after those before it."""
    booked = any(reference in one.paid for one in asked.attempts)
    if reference in (attempt.paid if _says_paid(answer) else attempt.failed):
        yield "the same answer once"
    elif not _says_paid(answer):
        if attempt.paid:
            yield "no failure of what was confirmed"
    elif isinstance(answer, GatewayAnswerRecorded):
        if not booked:
            yield "a payment that is booked"
    elif booked:
        yield "a payment booked once"


def _says_paid(answer: _Answer) -> bool:
    if isinstance(answer, GatewayAnswerRecorded):
        return answer.answer is GatewayAnswer.CONFIRMED
    return not isinstance(answer, RefundHeld)


def _at(seen: SeenEvent, refund_id: str, expected: str, found: str) -> Divergence:
    return divergence(seen, f"refund {refund_id}", expected=expected, found=found)
