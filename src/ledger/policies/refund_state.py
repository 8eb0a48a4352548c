"""Refund state: which commands are possible in which state of a refund."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import NOTHING, Case, Said, violation
from ledger.state.entities import Refund, RefundStatus, Reservation
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import ConfirmCardRefund, FailCardRefund, SettleRefund
from ledger.vocabulary.shapes import PaymentMethod, Role, SourceKind


def wrong_refund_state(case: Case) -> Iterator[Violation]:
    """An issued refund is settled once, a held one again by support; a gateway answers requests.

    Source: seed 003's refund to a card, decided for this ledger. By hand: the refund is SETTLED, or
    CORRECTED; a SettleRefund under another id: `WRONG_STATE`. It is HELD; the system settles it
    again: `WRONG_STATE`, support does: fine. A ConfirmCardRefund that names no attempt when no card
    refund was ever asked for: `WRONG_STATE` (in the first edition: when none is under way); a card
    named for what was not paid by card: `WRONG_STATE`, figures method.
    """
    match case.command:
        case SettleRefund(refund_id=refund_id, card_id=card_id):
            refund = case.the(Refund, refund_id)
            yield from _not_to_settle(case, refund_id, refund)
            if card_id is not None:
                yield from _not_by_card(case, refund_id, refund)
        case ConfirmCardRefund(refund_id=refund_id) | FailCardRefund(refund_id=refund_id):
            refund = case.the(Refund, refund_id)
            if _not_asked(case, refund):
                yield _wrong(refund_id, refund, Said("no card refund is under way"))


def _not_asked(case: Case, refund: Refund) -> bool:
    if case.by_first_edition:
        return refund.status is not RefundStatus.SETTLING
    return not refund.attempts


def _not_to_settle(case: Case, refund_id: str, refund: Refund) -> Iterator[Violation]:
    if refund.status is RefundStatus.HELD:
        if case.role is not Role.SUPPORT:
            yield _wrong(refund_id, refund, Said("only support settles a held one again"))
    elif refund.status is not RefundStatus.ISSUED:
        yield _wrong(refund_id, refund, Said("only an issued one can be settled"))


def _not_by_card(case: Case, refund_id: str, refund: Refund) -> Iterator[Violation]:
    method = "BALANCE"
    if refund.source.kind is SourceKind.RESERVATION:
        method = case.the(Reservation, refund.source.id).payment.method
    if method != PaymentMethod.CARD:
        why = Said("it goes back by {method}, not to a card; leave card_id out")
        yield _wrong(refund_id, refund, why, method=method)


def _wrong(refund_id: str, refund: Refund, why: Said, **figures: str) -> Violation:
    return violation(
        "existence_and_state",
        Code.WRONG_STATE,
        Said("refund {refund} is {state}: {why}"),
        NOTHING,
        why,
        refund=refund_id,
        state=refund.status,
        **figures,
    )
