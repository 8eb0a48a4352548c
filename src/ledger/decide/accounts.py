"""The events of an account command that no policy refuses."""

from __future__ import annotations

from typing import assert_never

from ledger.decide.facts import Fact, at_once
from ledger.policies.case import Case
from ledger.postings import opening_position
from ledger.vocabulary.commands import (
    AccountCommand,
    ChangeCard,
    EraseSubject,
    OpenAccount,
    OpenCommitmentTerm,
    RecordOpeningPosition,
    SetAccountStanding,
)
from ledger.vocabulary.events import (
    AccountOpened,
    AccountStandingChanged,
    CardChanged,
    CommitmentTermOpened,
    OpeningPositionRecorded,
    SubjectErased,
)


def accepted(case: Case, command: AccountCommand) -> tuple[Fact, ...]:
    """The events of the command."""
    match command:
        case OpenAccount():
            opened = AccountOpened(
                account_type=command.account_type,
                us_government=command.us_government,
                currency=command.currency,
            )
            return at_once(case, opened)
        case RecordOpeningPosition():
            return (Fact(body=_position(command), occurred_at=min(command.as_of, case.now)),)
        case SetAccountStanding():
            return at_once(case, AccountStandingChanged(in_arrears=command.in_arrears))
        case OpenCommitmentTerm():
            term = CommitmentTermOpened(
                term_id=command.term_id,
                starts_on=command.starts_on,
                ends_on=command.ends_on,
                amount=command.amount,
                currency=command.currency,
            )
            return at_once(case, term)
        case ChangeCard():
            return at_once(case, CardChanged(card_id=command.card_id))
        case EraseSubject():
            return at_once(case, SubjectErased(key_number=command.key_number))
        case _ as unreachable:
            assert_never(unreachable)


def _position(command: RecordOpeningPosition) -> OpeningPositionRecorded:
    held = sum(credit.amount for credit in command.held_credits)
    return OpeningPositionRecorded(
        as_of=command.as_of,
        full_refunds_used=command.full_refunds_used,
        ordinary_returns_used=command.ordinary_returns_used,
        marketplace_refunds_issued=command.marketplace_refunds_issued,
        cap_uses=command.cap_uses,
        balance=command.balance,
        held_credits=command.held_credits,
        postings=opening_position(command.balance.cash, command.balance.gift, held),
        currency=command.currency,
    )
