"""Settlement: a refund is paid the way the original payment was made."""

from __future__ import annotations

from typing import assert_never

from ledger import postings
from ledger.calculations.settle_to_the_commitment import credited_term
from ledger.decide import invoices
from ledger.decide.facts import derived
from ledger.policies.case import Case
from ledger.state.entities import Refund, Reservation
from ledger.values.instants import MINUTE, day_of
from ledger.vocabulary.commands import SettleRefund
from ledger.vocabulary.events import (
    BalanceCredited,
    CardRefundRequested,
    CommitmentCredited,
    CreditHeld,
    CreditMemoIssued,
    Event,
    OverageRerateRequested,
    RefundHeld,
    RefundSettled,
    SupportTaskOpened,
)
from ledger.vocabulary.shapes import HoldReason, PaymentMethod, SourceKind

NO_CURRENT_TERM = "NO_CURRENT_COMMITMENT_TERM"


def settled(case: Case, command: SettleRefund) -> tuple[Event, ...]:
    """The money moved on, and the refund SETTLED; asked of a card it is not settled yet."""
    refund_id, refund = command.refund_id, case.the(Refund, command.refund_id)
    if refund.source.kind is not SourceKind.RESERVATION:
        return _to_the_balance(case, refund_id, refund), _done(case, refund_id)
    held = case.the(Reservation, refund.source.id)
    match held.payment.method:
        case PaymentMethod.COMMITMENT:
            return *_to_the_commitment(case, refund_id, refund, held), _done(case, refund_id)
        case PaymentMethod.OVERAGE:
            return _by_credit_memo(case, refund_id, refund), _done(case, refund_id)
        case PaymentMethod.INVOICE if refund.exchange_id is not None:
            netted = RefundSettled(
                refund_id=refund_id,
                postings=postings.leg_netted(refund.amount),
                currency=case.account.currency,
            )
            return *invoices.netted(case, refund_id, refund), netted
        case PaymentMethod.INVOICE:
            documents = invoices.reissued(case, refund_id, refund)
            return *documents, _hold_credit(case, refund_id, refund), _done(case, refund_id)
        case PaymentMethod.CARD:
            documents = invoices.reissued(case, refund_id, refund)
            return *documents, *_to_the_card(case, command, refund, held)
        case _ as unreachable:
            assert_never(unreachable)


def task(
    case: Case,
    refund_id: str,
    reason: str,
    attempt: int | None = None,
    gateway_reason: str | None = None,
) -> SupportTaskOpened:
    """A support task, if the ledger cannot continue by itself."""
    return SupportTaskOpened(
        task_id=derived(case, "task"),
        refund_id=refund_id,
        reason=reason,
        attempt=attempt,
        gateway_reason=gateway_reason,
    )


def _done(case: Case, refund_id: str) -> RefundSettled:
    return RefundSettled(refund_id=refund_id, currency=case.account.currency)


def _to_the_balance(case: Case, refund_id: str, refund: Refund) -> BalanceCredited:
    """ONLINE: cash and gift money separately, as paid."""
    cash, gift = refund.parts.cash or 0, refund.parts.gift or 0
    return BalanceCredited(
        refund_id=refund_id,
        cash=cash,
        gift=gift,
        expected_arrival_at=case.now + case.terms.arrival_minutes * MINUTE,
        postings=postings.balance_credited(cash, gift),
        currency=case.account.currency,
    )


def _to_the_commitment(
    case: Case, refund_id: str, refund: Refund, held: Reservation
) -> tuple[Event, ...]:
    """EA: credited, and the overage since the purchase is to be rated again in that term."""
    paid_by = held.payment.term_id
    assert paid_by is not None
    today = day_of(case.now, "UTC")
    term_id = credited_term(case.account.commitment_terms, paid_by, today)
    if term_id is None:
        return _by_credit_memo(case, refund_id, refund), task(case, refund_id, NO_CURRENT_TERM)
    credited = CommitmentCredited(
        refund_id=refund_id,
        term_id=term_id,
        amount=refund.amount,
        postings=postings.commitment_credited(term_id, refund.amount),
        currency=case.account.currency,
    )
    rerate = OverageRerateRequested(
        refund_id=refund_id, term_id=term_id, purchased_at=held.purchased_at
    )
    return credited, rerate


def _by_credit_memo(case: Case, refund_id: str, refund: Refund) -> CreditMemoIssued:
    return CreditMemoIssued(
        refund_id=refund_id,
        credit_memo_id=derived(case, "credit_memo"),
        amount=refund.amount,
        postings=postings.credit_memo_issued(refund.amount),
        currency=case.account.currency,
    )


def _hold_credit(case: Case, refund_id: str, refund: Refund) -> CreditHeld:
    return CreditHeld(
        refund_id=refund_id,
        credit_id=derived(case, "credit"),
        amount=refund.amount,
        postings=postings.credit_held(refund.amount),
        currency=case.account.currency,
    )


def _to_the_card(
    case: Case, command: SettleRefund, refund: Refund, held: Reservation
) -> tuple[Event, ...]:
    """The card that paid, if no other is on file by now; or the one that support names."""
    refund_id, original, on_file = command.refund_id, held.payment.card_id, case.account.card_id
    assert original is not None
    if command.card_id is None and on_file not in (None, original):
        reason = HoldReason.ORIGINAL_CARD_CHANGED
        waits = RefundHeld(refund_id=refund_id, reason=reason, currency=case.account.currency)
        return waits, task(case, refund_id, reason)
    requested = CardRefundRequested(
        refund_id=refund_id,
        attempt=None if case.by_first_edition else len(refund.attempts) + 1,
        card_id=command.card_id or original,
        amount=refund.amount,
        postings=postings.card_refund_requested(refund.amount),
        currency=case.account.currency,
    )
    return (requested,)
