"""How facts about an account change it."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from ledger.state.entities import Account, CommitmentTerm
from ledger.state.reading import Change, Key, State
from ledger.vocabulary.envelope import EventMeta
from ledger.vocabulary.events import (
    AccountEvent,
    AccountOpened,
    AccountStandingChanged,
    CardChanged,
    CommitmentTermOpened,
)


def evolve(state: State, meta: EventMeta, event: AccountEvent) -> list[Change]:
    """The account as it is after the event."""
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
