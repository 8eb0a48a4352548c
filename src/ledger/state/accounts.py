"""How facts about an account change it."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.state import cap_uses, held_credits
from ledger.state.account_entities import CapEntry, CommitmentTerm, HeldCredit
from ledger.state.entities import Account, ErasedKeys, OpeningPosition
from ledger.state.reading import Change, Key, State
from ledger.values.instants import day_of
from ledger.vocabulary.envelope import EventMeta
from ledger.vocabulary.events import (
    AccountEvent,
    AccountOpened,
    AccountStandingChanged,
    CardChanged,
    CommitmentTermOpened,
    OpeningPositionRecorded,
    SubjectErased,
)


def evolve(state: State, meta: EventMeta, event: AccountEvent) -> list[Change]:
    """The account after the event."""
    key = Key(Account, meta.account_id, "")
    if isinstance(event, AccountOpened):
        opened = Account(
            account_type=event.account_type,
            us_government=event.us_government,
            currency=event.currency,
        )
        return [(key, opened)]
    account = state.find(Account, meta.account_id, "")
    assert account is not None
    match event:
        case OpeningPositionRecorded():
            return _brought_along(state, meta, account, event)
        case AccountStandingChanged():
            account = replace(account, in_arrears=event.in_arrears)
        case CommitmentTermOpened():
            return _term_opened(meta, account, event)
        case CardChanged():
            account = replace(account, card_id=event.card_id)
        case SubjectErased(key_number=number):
            return [(Key(ErasedKeys, meta.account_id, ""), ErasedKeys(up_to=number))]
        case _ as unreachable:
            assert_never(unreachable)
    return [(key, account)]


def _brought_along(
    state: State, meta: EventMeta, account: Account, event: OpeningPositionRecorded
) -> list[Change]:
    """The account with what it had used and was owed. Its balances stand in the postings alone."""
    account_id = meta.account_id
    brought = replace(
        account,
        full_refunds_used=event.full_refunds_used,
        ordinary_returns_used=event.ordinary_returns_used,
        marketplace_refunds_issued=event.marketplace_refunds_issued,
    )
    credits = [
        HeldCredit(credit_id=credit.credit_id, left=credit.amount) for credit in event.held_credits
    ]
    used = [
        CapEntry(
            refund_id=use.reference,
            counted_at=use.refunded_at,
            refund_usd=use.refund_usd,
            cancelled_commitment_usd=use.cancelled_commitment_usd,
        )
        for use in sorted(event.cap_uses, key=lambda use: use.refunded_at)
    ]
    return [
        (Key(Account, account_id, ""), brought),
        (Key(OpeningPosition, account_id, ""), OpeningPosition(as_of=event.as_of)),
        *held_credits.added(state, account_id, credits),
        *cap_uses.counted(state, account_id, used),
    ]


def _term_opened(meta: EventMeta, account: Account, event: CommitmentTermOpened) -> list[Change]:
    """The term, and the account with it; a term that is over is never credited again."""
    term = CommitmentTerm(term_id=event.term_id, starts_on=event.starts_on, ends_on=event.ends_on)
    today = day_of(meta.recorded_at, "UTC")
    not_over = tuple(one for one in account.commitment_terms if today < one.ends_on)
    return [
        (Key(CommitmentTerm, meta.account_id, term.term_id), term),
        (Key(Account, meta.account_id, ""), replace(account, commitment_terms=(*not_over, term))),
    ]
