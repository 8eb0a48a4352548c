"""Facts about accounts: opened, brought along, standing, terms, the card on file, erasures."""

from __future__ import annotations

from ledger.values.instants import Day, Instant
from ledger.values.money import Currency, Minor
from ledger.vocabulary.shapes import (
    AccountType,
    ByFund,
    OpeningCapUse,
    OpeningCredit,
    Posting,
    Shape,
)


class AccountOpened(Shape, frozen=True, kw_only=True):
    account_type: AccountType
    us_government: bool
    currency: Currency


class OpeningPositionRecorded(Shape, frozen=True, kw_only=True):
    """What the account had used and was owed `as_of` an instant, before the ledger was adopted."""

    as_of: Instant
    full_refunds_used: int
    ordinary_returns_used: int
    marketplace_refunds_issued: int
    cap_uses: tuple[OpeningCapUse, ...]
    balance: ByFund
    held_credits: tuple[OpeningCredit, ...]
    postings: tuple[Posting, ...]
    currency: Currency


class AccountStandingChanged(Shape, frozen=True, kw_only=True):
    in_arrears: bool


class CommitmentTermOpened(Shape, frozen=True, kw_only=True):
    term_id: str
    starts_on: Day
    ends_on: Day
    amount: Minor
    currency: Currency


class CardChanged(Shape, frozen=True, kw_only=True):
    card_id: str


class SubjectErased(Shape, frozen=True, kw_only=True):
    """The account's keys up to this number are destroyed from here on, and their texts erased."""

    key_number: int


AccountEvent = (
    AccountOpened
    | OpeningPositionRecorded
    | AccountStandingChanged
    | CommitmentTermOpened
    | CardChanged
    | SubjectErased
)
