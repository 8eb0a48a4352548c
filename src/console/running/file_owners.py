"""Whose files are to be: NAME=UID, as a command is told."""

from __future__ import annotations

from collections.abc import Sequence

from console.terminal.errors import BadInput


def user_ids(owners: Sequence[str] | None) -> dict[str, int]:
    """User ids by name; BadInput for anything else."""
    found = {}
    for told in owners or ():
        name, _, uid = told.partition("=")
        if not name or not uid.isdigit():
            raise BadInput(f"--owner {told}: write NAME=UID, as in decider=10001")
        found[name] = int(uid)
    return found
