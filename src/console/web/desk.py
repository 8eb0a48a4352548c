"""Gives commands: publishes them, and waits for their outcomes in the read models."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from console.terminal.errors import BadInput, Failed
from console.web.backend import Backend
from console.web.problems import Problem
from consumers.follow_ups import command_record
from ledger.origins.signing import Signer
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import GivenCommand
from projector.asking.outcomes import CommandKey, Outcome, outcomes

_POLL_SECONDS = 0.015


class Answered(NamedTuple):
    """What came of a command; None: not known yet.

    `other`: its id was given before with other content, and `outcome` is what came of that.
    """

    outcome: Outcome | None
    other: bool = False


def give(backend: Backend, given: GivenCommand, patience_seconds: float) -> Answered:
    """Publish one command, and wait for its outcome, as `give_all` does."""
    return give_all(backend, [given], patience_seconds)[0]


def give_all(
    backend: Backend, given: Sequence[GivenCommand], patience_seconds: float
) -> list[Answered]:
    """Publish commands in their order, and wait for the outcome of each.

    1. Those whose ids are known already are not published again. 2. Free texts are sealed; the same
    texts give the same commands again. The others are published; they will be decided,
    whatever happens to this process. 3. Their outcomes are waited for. A repeat with the same id,
    after a crash or an answer that was lost, gets the first outcome.
    Raises LogUnavailable where it is not known whether they were published. Raises Problem, before
    anything is, for a text that is too long to be sealed, and where a key to sign with is missing.
    """
    before = _known(backend, given)
    with ExitStack() as until_published:
        given = _sealed(backend, given, until_published)
        fresh = [each for each in given if not before.get(_key(each))]
        if fresh:
            signer, count = signer_of(backend), backend.partition_count
            backend.publish([command_record(each, count, signer) for each in fresh])
    since = _waited_for(backend, fresh, patience_seconds)
    return [_answer(each, before, since) for each in given]


def signer_of(backend: Backend) -> Signer | None:
    """Who signs now, if anybody; Problem where commands must be signed and no valid key is here."""
    try:
        return backend.signing()
    except BadInput as error:
        raise Problem(503, "Not available", str(error)) from error


def _sealed(
    backend: Backend, given: Sequence[GivenCommand], until_published: ExitStack
) -> Sequence[GivenCommand]:
    try:
        return until_published.enter_context(backend.sealed(given))
    except Failed as error:
        raise Problem(503, "Not available", str(error)) from error
    except BadInput as error:
        raise Problem(422, "The request cannot be read", str(error)) from error


_Known = Mapping[CommandKey, tuple[Outcome, ...]]


def _waited_for(backend: Backend, given: Sequence[GivenCommand], patience_seconds: float) -> _Known:
    give_up = time.monotonic() + patience_seconds
    found: dict[CommandKey, tuple[Outcome, ...]] = {}
    waiting = list(given)
    while waiting and time.monotonic() <= give_up:
        found |= _known(backend, waiting)
        waiting = [each for each in waiting if _own(each, found) is None]
        if waiting:
            time.sleep(_POLL_SECONDS)
    return found


def _answer(given: GivenCommand, before: _Known, since: _Known) -> Answered:
    earlier = before.get(_key(given), ())
    own = _own(given, before) or _own(given, since)
    return Answered(earlier[0], other=True) if own is None and earlier else Answered(own)


def _own(given: GivenCommand, known: _Known) -> Outcome | None:
    """The outcome of this very content."""
    digest = command_digest(given)
    found = known.get(_key(given), ())
    return next((each for each in found if each.command_digest == digest), None)


def _known(backend: Backend, given: Iterable[GivenCommand]) -> _Known:
    with backend.connection() as connection:
        return outcomes(connection, {_key(each) for each in given})


def _key(given: GivenCommand) -> CommandKey:
    return given.meta.account_id, given.meta.command_id
