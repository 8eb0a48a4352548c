"""Gives commands: publishes them, and waits for their outcomes in the read models."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import psycopg
import structlog
from msgspec.structs import replace
from psycopg_pool import PoolTimeout

from console.terminal.errors import BadInput, Failed
from console.web.approving import proposals
from console.web.approving.limits import MAY_WAIT, Giver, why_it_waits
from console.web.approving.proposals import Proposal
from console.web.backend import Backend
from console.web.background import PUBLISHING, Background
from console.web.problems import Problem
from consumers.follow_ups import command_record
from ledger.log.seam import LogUnavailable
from ledger.origins.signing import Signer
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import GivenCommand
from projector.asking.outcomes import CommandKey, Outcome, outcomes

_POLL_SECONDS, _LATE_SECONDS, _LATEST_SECONDS = 0.015, 5.0, 60.0
_Known = Mapping[CommandKey, tuple[Outcome, ...]]
_log = structlog.get_logger(__name__)


class Answered(NamedTuple):
    """What came of a command; None: not known yet.

    `other`: its id was given before with other content, and `outcome` is what came of that.
    `proposal`: it waits for a second person, or one has decided; with `other` the earlier one does.
    """

    outcome: Outcome | None
    other: bool = False
    proposal: Proposal | None = None


def give(backend: Backend, given: GivenCommand, patience_seconds: float, *, by: Giver) -> Answered:
    """Publish one command, and wait for its outcome, as `give_all` does."""
    return give_all(backend, [given], patience_seconds, by=by)[0]


def give_all(
    backend: Backend, given: Sequence[GivenCommand], patience_seconds: float, *, by: Giver
) -> list[Answered]:
    """Publish commands in their order, and wait for the outcome of each.

    1. Those whose ids are known already are not published again, and those that take a second
    person are kept until one decides. 2. Free texts are sealed; the same texts give the same
    commands again. The others are published; they will be decided, whatever happens to this
    process. 3. Their outcomes are waited for. A repeat with the same id,
    after a crash or an answer that was lost, gets the first outcome.
    Raises LogUnavailable where it is not known whether they were published. Raises Problem, before
    anything is, for a text that is too long to be sealed, and where a key to sign with is missing.
    """
    before = _known(backend, given)
    kept = [None if before.get(_key(each)) else _kept(backend, each, by) for each in given]
    rest = [each for each, answered in zip(given, kept, strict=True) if answered is None]
    published = iter(_published(backend, rest, before, patience_seconds))
    return [next(published) if answered is None else answered for answered in kept]


def approve(backend: Backend, key: CommandKey, patience_seconds: float, *, by: Giver) -> Answered:
    """Approve a command as the second person, publish it, and wait for its outcome.

    1. The approval is kept. 2. What is approved is published, under the id that it was given with.
    3. That it was is kept. After a crash between any two it is published again, by the next console
    that looks: the same id and content, which is decided once.
    """
    with backend.connection() as connection:
        approved = proposals.approve(connection, key, by.name)
    publish_approved(backend)
    return _answer(approved.given, {}, _waited_for(backend, [approved.given], patience_seconds))


def publish_approved(backend: Backend) -> int:
    """Publish what was approved and is not known to be in the log; how many these were."""
    with backend.connection() as connection:
        found = proposals.unpublished(connection)
    if not found:
        return 0
    signer, count, sandbox_at = signer_of(backend), backend.partition_count, backend.sandbox_at()
    commands = [
        replace(each.given, meta=replace(each.given.meta, sandbox_at=sandbox_at)) for each in found
    ]
    backend.publish([command_record(each, count, signer) for each in commands])
    with backend.connection() as connection:
        proposals.mark_published(connection, [each.key for each in found])
    return len(found)


def keep_publishing(
    backend: Backend,
    ended: threading.Event,
    background: Background,
    usual_seconds: float = _LATE_SECONDS,
) -> None:
    """Until the end: now and then publish what was approved and could not be published."""
    while not ended.wait(background.pause_seconds(PUBLISHING, usual_seconds, _LATEST_SECONDS)):
        try:
            publish_approved(backend)
        except (LogUnavailable, Problem, psycopg.Error, PoolTimeout) as error:
            _log.warning("what is approved waits to be published", error=str(error))
        except Exception as error:  # a fault of ours, which must not end the task
            background.failed(PUBLISHING, error)
        else:
            background.did(PUBLISHING)


def _kept(backend: Backend, given: GivenCommand, by: Giver) -> Answered | None:
    """What a command gets that is not published now; None for one that is."""
    if backend.limits is None or not isinstance(given.body, MAY_WAIT):
        return None
    with backend.connection() as connection:
        reason = why_it_waits(connection, backend.limits, given, by)
        found = proposals.find(connection, [_key(given)]).get(_key(given))
    if reason is None and found is None:
        return None
    with ExitStack() as until_sealed:
        (sealed,) = _sealed(backend, [given], until_sealed)
    if found is None and reason is not None:
        with backend.connection() as connection:
            hours = backend.approval_hours
            found = proposals.propose(connection, sealed, reason, by.name, hours)
    assert found is not None
    return Answered(None, other=found.digest != command_digest(sealed), proposal=found)


def _published(
    backend: Backend, given: Sequence[GivenCommand], before: _Known, patience_seconds: float
) -> list[Answered]:
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
