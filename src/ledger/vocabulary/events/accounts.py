"""Facts about accounts: opened, standing, commitment terms, the card on file."""

from __future__ import annotations

from ledger.values.instants import Day
from ledger.values.money import Currency, Minor
from ledger.vocabulary.shapes import AccountType, Shape


class AccountOpened(Shape, frozen=True, kw_only=True):
    account_type: AccountType
    us_government: bool
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


AccountEvent = AccountOpened | AccountStandingChanged | CommitmentTermOpened | CardChanged
