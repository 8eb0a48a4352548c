"""Erasure: the keys of an account are destroyed one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import ErasedKeys
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import EraseSubject


def wrong_erasure_state(case: Case) -> Iterator[Violation]:
    """Only the key after the last destroyed one, so that no order destroys keys still to be made.

    Source: decided for this ledger. By hand: nothing was erased yet; EraseSubject with key 2, or
    999: `WRONG_STATE`, figures next = 1; with key 1: fine. The same again under another id:
    `WRONG_STATE`, figures next = 2.
    """
    if not isinstance(case.command, EraseSubject):
        return
    erased = case.find(ErasedKeys, "")
    following = 1 if erased is None else erased.up_to + 1
    number = case.command.key_number
    if number != following:
        yield violation(
            "existence_and_state",
            Code.WRONG_STATE,
            Said(
                "key {key_number} of account {account} is not the next to be destroyed; that is "
                "key {next}"
            ),
            account=case.given.meta.account_id,
            key_number=str(number),
            next=str(following),
        )
