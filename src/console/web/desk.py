"""Gives commands: publishes one, and waits for its outcome in the read models."""

from __future__ import annotations

import time
from typing import NamedTuple

from console.web.backend import Backend
from consumers.follow_ups import command_record
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import GivenCommand
from projector.asking.outcomes import Outcome, outcome

_POLL_SECONDS = 0.015


class OtherContent(Exception):
    """The command id was used before with other content; `first` is what came of that."""

    def __init__(self, first: Outcome) -> None:
        super().__init__(
            f"command id {first.command_id} of account {first.account_id} was given before with "
            "other content; give this one an id of its own"
        )
        self.first = first


class Answered(NamedTuple):
    """What came of a command; `before` if it had been given before. None: not known yet."""

    outcome: Outcome | None
    before: bool = False


def give(backend: Backend, given: GivenCommand, patience_seconds: float) -> Answered:
    """Publish the command, and wait for its outcome.

    1. One whose id is known already is not published again. 2. It is published; from here on it
    will be decided, whatever happens to this process. 3. Its outcome is waited for. A repeat with
    the same id, after a crash or an answer that was lost, gets the first outcome.
    Raises OtherContent, and LogUnavailable where it is not known whether it was published.
    """
    known = _known(backend, given)
    if known is not None:
        return Answered(known, before=True)
    backend.publish([command_record(given, backend.partition_count, backend.signing())])
    give_up = time.monotonic() + patience_seconds
    while True:
        known = _known(backend, given)
        if known is not None or time.monotonic() > give_up:
            return Answered(known)
        time.sleep(_POLL_SECONDS)


def _known(backend: Backend, given: GivenCommand) -> Outcome | None:
    meta, digest = given.meta, command_digest(given)
    with backend.connection() as connection:
        found = outcome(connection, meta.account_id, meta.command_id)
    for each in found:
        if each.command_digest == digest:
            return each
    if found:
        raise OtherContent(found[0])
    return None
