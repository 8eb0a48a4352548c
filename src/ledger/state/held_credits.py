"""The held credits of an account, numbered from the oldest, so that one more costs the same however
many there were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from ledger.state.account_entities import HeldCredit, HeldCredits
from ledger.state.reading import Change, Key, State, existing
from ledger.values.money import Minor


def total(state: State, account_id: str) -> Minor:
    """What is left of all."""
    return _all(state, account_id).left


def open_credits(state: State, account_id: str) -> Iterator[HeldCredit]:
    """Those with something left, the oldest first."""
    held = _all(state, account_id)
    for number in range(held.first, held.count):
        credit = _numbered(state, account_id, number)
        if credit.left:
            yield credit


def next_number(state: State, account_id: str) -> int:
    """The number of the account's next credit."""
    return _all(state, account_id).count


def added(state: State, account_id: str, credits: Sequence[HeldCredit]) -> list[Change]:
    """These are held too, after those before."""
    if not credits:
        return []
    held = _all(state, account_id)
    more = replace(
        held,
        count=held.count + len(credits),
        left=held.left + sum(credit.left for credit in credits),
    )
    numbered = enumerate(credits, start=held.count)
    return [
        (Key(HeldCredits, account_id, ""), more),
        *((Key(HeldCredit, account_id, str(number)), credit) for number, credit in numbered),
    ]


def consumed(state: State, account_id: str, credit_id: str, amount: Minor) -> list[Change]:
    """A purchase has consumed this much of a credit; it is the oldest with something left."""
    oldest = _all(state, account_id).first
    assert _numbered(state, account_id, oldest).credit_id == credit_id
    return _lowered(state, account_id, oldest, amount)


def left_of(state: State, account_id: str, number: int) -> Minor:
    """What is left of one credit."""
    return _numbered(state, account_id, number).left


def taken_back(state: State, account_id: str, number: int) -> list[Change]:
    """Nothing is left of one credit, since its refund was corrected."""
    return _lowered(state, account_id, number, left_of(state, account_id, number))


def _lowered(state: State, account_id: str, number: int, amount: Minor) -> list[Change]:
    held, credit = _all(state, account_id), _numbered(state, account_id, number)
    less, first = replace(credit, left=credit.left - amount), held.first
    if first == number and not less.left:
        first += 1
        while first < held.count and not left_of(state, account_id, first):
            first += 1
    return [
        (Key(HeldCredit, account_id, str(number)), less),
        (Key(HeldCredits, account_id, ""), replace(held, first=first, left=held.left - amount)),
    ]


def _all(state: State, account_id: str) -> HeldCredits:
    return state.find(HeldCredits, account_id, "") or HeldCredits()


def _numbered(state: State, account_id: str, number: int) -> HeldCredit:
    return existing(state, HeldCredit, account_id, str(number))
