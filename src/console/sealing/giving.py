"""Seals the free texts of commands that this program publishes, where it has a master key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from psycopg import Connection

from console.sealing.account_keys import AccountKeys
from console.sealing.master_key import MasterKey
from console.terminal.errors import BadInput
from ledger.vocabulary.commands import EraseSubject
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.sealing import KEY_BYTES, AccountKey, clear_texts, sealed_command
from ledger.vocabulary.validation import body_problems

Sealing = Callable[[Sequence[GivenCommand]], AbstractContextManager[Sequence[GivenCommand]]]
"""Commands as they are to be published, which must be done before its end: only so long no other
program erases the accounts of the texts, or seals texts of the accounts that are erased.
"""
_LONGEST = AccountKey(number=999_999_999, secret=bytes(KEY_BYTES))
"""Under it a text becomes as long as under any."""


@contextmanager
def unsealed(given: Sequence[GivenCommand]) -> Iterator[Sequence[GivenCommand]]:
    """The commands as they are."""
    yield given


def sealing_with(connection: Connection[Any], master: MasterKey | None) -> Sealing:
    """Seals with the newest key of each command's account; without a master key, nothing.

    For an order to erase an account the next key is made, under which its later texts are sealed.
    """
    if master is None:
        return unsealed
    keys = AccountKeys(connection, master)

    @contextmanager
    def seal(given: Sequence[GivenCommand]) -> Iterator[Sequence[GivenCommand]]:
        texts = {each.meta.account_id for each in given if clear_texts(each)}
        erased = {each.meta.account_id for each in given if isinstance(each.body, EraseSubject)}
        with keys.held(texts, erased):
            yield [_as_published(keys, each) for each in given]

    return seal


def concerns_texts(given: GivenCommand) -> bool:
    """Whether sealing it needs the database."""
    return isinstance(given.body, EraseSubject) or bool(clear_texts(given))


def _as_published(keys: AccountKeys, given: GivenCommand) -> GivenCommand:
    account_id = given.meta.account_id
    if isinstance(given.body, EraseSubject):
        number = given.body.key_number
        if not keys.begin_after(account_id, number):
            raise BadInput(
                f"EraseSubject {given.meta.command_id}: account {account_id} has no key {number}; "
                "'refundctl erase' finds the right one"
            )
        return given
    if not clear_texts(given):
        return given
    refuse_too_long(given)
    return sealed_command(given, keys.newest(account_id))


def refuse_too_long(given: GivenCommand) -> None:
    """BadInput if a text fits its field, but not once it is sealed under a key of any number."""
    if not clear_texts(given):
        return
    for problem in body_problems(sealed_command(given, _LONGEST).body):
        length = len(getattr(given.body, problem.path))
        raise BadInput(
            f"{given.name} {given.meta.command_id}: {problem.path} of {length} characters is too "
            f"long to be sealed (sealed it must have {problem.expected}); shorten it"
        )
