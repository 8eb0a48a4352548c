"""How a correction reverses a refund: its amounts no longer count anywhere."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.postings import HELD_CREDIT
from ledger.state import cap_uses, held_credits, instances, invoices, marketplace, reservations
from ledger.state.entities import Account, Instance, Purchase, Refund, RefundStatus, Reservation
from ledger.state.reading import Change, Key, State, existing
from ledger.values.money import Minor
from ledger.vocabulary.envelope import EventMeta
from ledger.vocabulary.events import RefundCorrected
from ledger.vocabulary.shapes import Funds, RefundRule, SourceKind


def evolve(state: State, meta: EventMeta, event: RefundCorrected) -> list[Change]:
    """The refund, what it was of, its invoice, and the account's quota, cap and held credit.

    What was refunded of the purchase or reservation is less again; the resource's state stays.
    """
    account_id = meta.account_id
    refund = state.find(Refund, account_id, event.refund_id)
    account = state.find(Account, account_id, "")
    assert refund is not None
    assert account is not None
    reversed_one = replace(
        refund, status=RefundStatus.CORRECTED, postings=(*refund.postings, *event.postings)
    )
    given_back = replace(
        _given_back(account, refund, event),
        credit_overdrawn=account.credit_overdrawn + _overdrawn(state, account_id, refund),
    )
    return [
        (Key(Refund, account_id, event.refund_id), reversed_one),
        (Key(Account, account_id, ""), given_back),
        *_apart(state, account_id, refund, event),
        *_of_source(state, meta, event.refund_id, refund),
    ]


def _apart(state: State, account_id: str, refund: Refund, event: RefundCorrected) -> list[Change]:
    """Its use of the cap, if the event says so, and the credit held for it no longer count."""
    changes: list[Change] = []
    if event.cap_restored and refund.cap_block is not None:
        changes += cap_uses.given_back(state, account_id, event.refund_id, refund.cap_block)
    if refund.held_credit is not None:
        changes += held_credits.taken_back(state, account_id, refund.held_credit)
    return changes


def _of_source(state: State, meta: EventMeta, refund_id: str, refund: Refund) -> list[Change]:
    source, account_id = refund.source, meta.account_id
    match source.kind:
        case SourceKind.INSTANCE:
            instance = existing(state, Instance, account_id, source.id)
            changed_one = instances.corrected(instance, refund_id, _gross(refund))
            return [(Key(Instance, account_id, source.id), changed_one)]
        case SourceKind.MARKETPLACE:
            purchase = state.find(Purchase, account_id, source.id)
            assert purchase is not None
            changed = marketplace.corrected(purchase, refund)
            return [(Key(Purchase, account_id, source.id), changed)]
        case SourceKind.RESERVATION:
            held = state.find(Reservation, account_id, source.id)
            assert held is not None
            key = Key(Reservation, account_id, source.id)
            shown = invoices.corrected(state, meta, refund_id, refund)
            return [(key, reservations.corrected(held, refund)), *shown]
        case _ as unreachable:
            assert_never(unreachable)


def _gross(refund: Refund) -> Funds:
    """Fund by fund with the fee, which came off the cash."""
    parts = refund.parts
    return Funds(cash=(parts.cash or 0) + refund.fee, gift=parts.gift or 0)


def _given_back(account: Account, refund: Refund, event: RefundCorrected) -> Account:
    """The account with the quota given back, as far as the event says so."""
    if not event.quota_restored:
        return account
    match refund.rule:
        case RefundRule.FIVE_DAYS_NO_REASON:
            return replace(account, full_refunds_used=account.full_refunds_used - 1)
        case RefundRule.ORDINARY_RETURN:
            return replace(account, ordinary_returns_used=account.ordinary_returns_used - 1)
        case RefundRule.MARKETPLACE_REVIEW:
            issued = account.marketplace_refunds_issued - 1
            return replace(account, marketplace_refunds_issued=issued)
        case (
            RefundRule.MARKETPLACE_MANUAL
            | RefundRule.RESERVATION_REFUND
            | RefundRule.DOWNGRADE
            | None
        ):
            return account
        case _ as unreachable:
            assert_never(unreachable)


def _overdrawn(state: State, account_id: str, refund: Refund) -> Minor:
    """What purchases have consumed of the credit held for it."""
    if refund.held_credit is None:
        return 0
    held = sum(line.amount for line in refund.postings if line.account == HELD_CREDIT)
    return held - held_credits.left_of(state, account_id, refund.held_credit)
