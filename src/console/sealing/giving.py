"""Seals the free texts of commands that this program publishes, where it has a master key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from console.sealing.account_keys import AccountKeys
from console.sealing.master_key import MasterKey
from console.terminal.errors import BadInput
from ledger.sealing import clear_texts, sealed_command
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.validation import body_problems

Sealing = Callable[[GivenCommand], GivenCommand]
"""A command as it is to be published."""


def sealing_with(connection: Connection[Any], master: MasterKey | None) -> Sealing:
    """Seals with the newest key of the command's account; without a master key, nothing."""
    if master is None:
        return lambda given: given
    keys = AccountKeys(connection, master)

    def seal(given: GivenCommand) -> GivenCommand:
        if not clear_texts(given):
            return given
        found = sealed_command(given, keys.newest(given.meta.account_id))
        _refuse_too_long(given, found)
        return found

    return seal


def _refuse_too_long(clear: GivenCommand, found: GivenCommand) -> None:
    """BadInput if a text fits its field, but not once it is sealed."""
    for problem in body_problems(found.body):
        length = len(getattr(clear.body, problem.path))
        raise BadInput(
            f"{clear.name} {clear.meta.command_id}: {problem.path} of {length} characters is too "
            f"long to be sealed (sealed it must have {problem.expected}); shorten it"
        )
