"""Seals the free texts of commands that this program publishes, where it has a master key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from console.sealing.account_keys import AccountKeys
from console.sealing.master_key import MasterKey
from console.terminal.errors import BadInput
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.sealing import KEY_BYTES, AccountKey, clear_texts, sealed_command
from ledger.vocabulary.validation import body_problems

Sealing = Callable[[GivenCommand], GivenCommand]
"""A command as it is to be published."""
_LONGEST = AccountKey(number=999_999_999, secret=bytes(KEY_BYTES))
"""Under it a text becomes as long as under any."""


def sealing_with(connection: Connection[Any], master: MasterKey | None) -> Sealing:
    """Seals with the newest key of the command's account; without a master key, nothing."""
    if master is None:
        return lambda given: given
    keys = AccountKeys(connection, master)

    def seal(given: GivenCommand) -> GivenCommand:
        if not clear_texts(given):
            return given
        refuse_too_long(given)
        return sealed_command(given, keys.newest(given.meta.account_id))

    return seal


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
