"""How facts about refunds and their settlement change the refund, the quotas and the balances."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.state import (
    cap_uses,
    card_attempts,
    corrections,
    held_credits,
    invoices,
    marketplace,
    reservations,
)
from ledger.state.account_entities import CapEntry, HeldCredit
from ledger.state.entities import (
    Account,
    Purchase,
    Quote,
    QuoteStatus,
    Refund,
    RefundStatus,
    Reservation,
)
from ledger.state.reading import Change, Key, State, existing
from ledger.vocabulary.envelope import EventMeta
from ledger.vocabulary.events import (
    BalanceCredited,
    CardRefundRequested,
    CommitmentCredited,
    CreditHeld,
    CreditMemoIssued,
    GatewayAnswerRecorded,
    HeldCreditConsumed,
    InvoiceCancelled,
    InvoiceIssued,
    OverageRerateRequested,
    RefundCorrected,
    RefundEvent,
    RefundHeld,
    RefundIssued,
    RefundOverpaid,
    RefundSettled,
    SettlementEvent,
    SupportTaskOpened,
)
from ledger.vocabulary.shapes import GatewayAnswer, RefundRule, SourceKind


def evolve(state: State, meta: EventMeta, event: RefundEvent | SettlementEvent) -> list[Change]:
    """The refund, and the account where a quota or the cap is touched, after the event."""
    account_id = meta.account_id
    match event:
        case RefundIssued():
            return _issued(state, meta, event)
        case RefundSettled():
            return _progress(state, account_id, RefundStatus.SETTLED, event)
        case RefundHeld():
            return _progress(state, account_id, RefundStatus.HELD, event)
        case RefundOverpaid():
            return _progress(state, account_id, None, event)
        case RefundCorrected():
            return corrections.evolve(state, meta, event)
        case BalanceCredited() | CommitmentCredited() | CreditMemoIssued() | CardRefundRequested():
            return _progress(state, account_id, RefundStatus.SETTLING, event)
        case CreditHeld():
            return _credit_held(state, account_id, event)
        case HeldCreditConsumed():
            return held_credits.consumed(state, account_id, event.credit_id, event.amount)
        case InvoiceIssued():
            return invoices.issued(state, meta, event)
        case GatewayAnswerRecorded():
            refund = existing(state, Refund, account_id, event.refund_id)
            return [(Key(Refund, account_id, event.refund_id), _answered(refund, event))]
        case OverageRerateRequested() | InvoiceCancelled() | SupportTaskOpened():
            return []
        case _ as unreachable:
            assert_never(unreachable)


def _issued(state: State, meta: EventMeta, event: RefundIssued) -> list[Change]:
    refund = Refund(
        source=event.source,
        rule=event.rule,
        gross=event.gross,
        fee=event.fee,
        amount=event.amount,
        parts=event.parts,
        status=RefundStatus.ISSUED,
        quota_spent=event.quota_spent,
        postings=event.postings,
        instalment=_instalment(state, meta, event),
        cap_block=None if event.cap is None else cap_uses.next_block(state, meta.account_id),
    )
    changes: list[Change] = [(Key(Refund, meta.account_id, event.refund_id), refund)]
    changes += _cap_used(state, meta, event)
    if event.quote_id is not None:
        quote = state.find(Quote, meta.account_id, event.quote_id)
        assert quote is not None
        used = replace(quote, status=QuoteStatus.USED)
        changes.append((Key(Quote, meta.account_id, event.quote_id), used))
    account = state.find(Account, meta.account_id, "")
    assert account is not None
    counted = _counted(account, event)
    return [*changes, *_of_source(state, meta, event), (Key(Account, meta.account_id, ""), counted)]


def _cap_used(state: State, meta: EventMeta, event: RefundIssued) -> list[Change]:
    if event.cap is None:
        return []
    entry = CapEntry(
        refund_id=event.refund_id,
        counted_at=meta.recorded_at,
        refund_usd=event.cap.refund_usd,
        cancelled_commitment_usd=event.cap.cancelled_commitment_usd,
    )
    return cap_uses.counted(state, meta.account_id, [entry])


def _instalment(state: State, meta: EventMeta, event: RefundIssued) -> int | None:
    """Of a reservation: the instalment in which it was given back just now."""
    if event.source.kind is not SourceKind.RESERVATION:
        return None
    held = state.find(Reservation, meta.account_id, event.source.id)
    assert held is not None
    return None if held.returns is None else held.returns.number


def _of_source(state: State, meta: EventMeta, event: RefundIssued) -> list[Change]:
    """What was refunded of it is kept with the purchase or reservation."""
    source = event.source
    match source.kind:
        case SourceKind.MARKETPLACE:
            purchase = state.find(Purchase, meta.account_id, source.id)
            assert purchase is not None
            changed = marketplace.refunded(purchase, event)
            return [(Key(Purchase, meta.account_id, source.id), changed)]
        case SourceKind.RESERVATION:
            reservation = state.find(Reservation, meta.account_id, source.id)
            assert reservation is not None
            held = reservations.refunded(reservation, event.gross)
            return [(Key(Reservation, meta.account_id, source.id), held)]
        case SourceKind.INSTANCE:
            return []
        case _ as unreachable:
            assert_never(unreachable)


def _counted(account: Account, event: RefundIssued) -> Account:
    """The account with the quota spent."""
    if not event.quota_spent:
        return account
    match event.rule:
        case RefundRule.FIVE_DAYS_NO_REASON:
            return replace(account, full_refunds_used=account.full_refunds_used + 1)
        case RefundRule.ORDINARY_RETURN:
            return replace(account, ordinary_returns_used=account.ordinary_returns_used + 1)
        case RefundRule.MARKETPLACE_REVIEW:
            return replace(
                account,
                marketplace_refunds_issued=account.marketplace_refunds_issued + 1,
                marketplace_refunds_pending=account.marketplace_refunds_pending - 1,
            )
        case RefundRule.MARKETPLACE_MANUAL | RefundRule.RESERVATION_REFUND | RefundRule.DOWNGRADE:
            return account
        case _ as unreachable:
            assert_never(unreachable)


_MovesRefund = (
    RefundSettled
    | RefundHeld
    | BalanceCredited
    | CommitmentCredited
    | CreditMemoIssued
    | CreditHeld
    | CardRefundRequested
    | RefundOverpaid
)
_Answer = RefundSettled | RefundHeld | RefundOverpaid | GatewayAnswerRecorded


def _progress(
    state: State, account_id: str, status: RefundStatus | None, event: _MovesRefund
) -> list[Change]:
    moved = _moved(state, account_id, status, event)
    return [(Key(Refund, account_id, event.refund_id), moved)]


def _moved(
    state: State, account_id: str, status: RefundStatus | None, event: _MovesRefund
) -> Refund:
    """The refund with what was posted for it; without a status it is as far as it was."""
    refund = existing(state, Refund, account_id, event.refund_id)
    moved = replace(
        refund, status=status or refund.status, postings=(*refund.postings, *event.postings)
    )
    if isinstance(event, CardRefundRequested):
        moved = card_attempts.asked(moved)
    if isinstance(event, _Answer):
        moved = _answered(moved, event)
    return moved


def _answered(refund: Refund, event: _Answer) -> Refund:
    """With what the gateway says by the event, if it is one of its answers."""
    reference = event.gateway_reference
    if reference is None:
        return refund
    match event:
        case RefundHeld() | GatewayAnswerRecorded(answer=GatewayAnswer.FAILED):
            return card_attempts.failed(refund, event.attempt, reference)
        case _:
            return card_attempts.confirmed(refund, event.attempt, reference)


def _credit_held(state: State, account_id: str, event: CreditHeld) -> list[Change]:
    """The newest credit stands last: the oldest is consumed first. The refund names its number."""
    moved = _moved(state, account_id, RefundStatus.SETTLING, event)
    numbered = replace(moved, held_credit=held_credits.next_number(state, account_id))
    credit = HeldCredit(credit_id=event.credit_id, refund_id=event.refund_id, left=event.amount)
    return [
        (Key(Refund, account_id, event.refund_id), numbered),
        *held_credits.added(state, account_id, [credit]),
    ]
