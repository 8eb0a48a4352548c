"""How facts about an account change it."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.state import cap_uses
from ledger.state.cap_entities import CapEntry
from ledger.state.entities import Account, CommitmentTerm, HeldCredit, OpeningPosition
from ledger.state.reading import Change, Key, State
from ledger.vocabulary.envelope import EventMeta
from ledger.vocabulary.events import (
    AccountEvent,
    AccountOpened,
    AccountStandingChanged,
    CardChanged,
    CommitmentTermOpened,
    OpeningPositionRecorded,
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
            term = CommitmentTerm(
                term_id=event.term_id, starts_on=event.starts_on, ends_on=event.ends_on
            )
            account = replace(account, commitment_terms=(*account.commitment_terms, term))
        case CardChanged():
            account = replace(account, card_id=event.card_id)
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
        held_credits=tuple(
            HeldCredit(credit_id=credit.credit_id, left=credit.amount)
            for credit in event.held_credits
        ),
    )
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
        *cap_uses.counted(state, account_id, used),
    ]
