"""`/work/letters`: commands that could not be read; an operator sends them to the decider again."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse

from console.rendering.reports.dead_letters_json import letter_to_json, standing_to_json
from console.web.access.guard import caller_of
from console.web.api.cursors import cursor_of, place_of
from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.pages.rendering import page
from console.web.pages.work import waiting
from console.web.pages.work.newest_letters import letter_at, newest
from console.web.problems import Problem
from consumers.dead_letters.redrive import WRITER, Order, resolve
from consumers.dead_letters.status import LetterStatus, letter_statuses, settled_letter_statuses
from ledger.log.kafka import KafkaOnlyWriter, KafkaTools
from ledger.log.seam import Topic
from ledger.wire.dead_letters.closing import Resolution, Resolved
from ledger.wire.dead_letters.headers import is_number
from ledger.wire.dead_letters.letter import MAX_TEXT, read_letter

router = APIRouter(prefix="/work/letters", tags=["pages"], include_in_schema=False)
_WRITING = threading.Lock()
"""A second writer would shut the first one out."""
_PATIENCE_SECONDS = 10.0
_log = structlog.get_logger(__name__)


@router.get("")
def dead_letters(
    request: Request,
    backend: Asked,
    closed: Annotated[str, Query()] = "",
    cursor: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """The open ones, or the closed ones too; the newest first, or those before a cursor."""
    found = newest(backend.records, _before(backend, cursor), closed=bool(closed))
    with backend.connection() as connection:
        taken = waiting.holders(connection, waiting.LETTER)
    older = None if found.older is None else cursor_of("letters", tuple(map(str, found.older)))
    return page(
        request,
        "work/letters.html",
        letters=[standing_to_json(each) for each in found.letters],
        older=older,
        unsure=found.unsure,
        taken=taken,
        closed=closed,
    )


@router.get("/{name}")
def a_letter(
    request: Request,
    backend: Asked,
    name: str,
    at: Annotated[int | None, Query(ge=0, le=2**62)] = None,
) -> HTMLResponse:
    """One, with its reason, its bytes, and whether it could be read today. Where `at` says its
    offset in the topic of dead letters, what was before is not read.
    """
    standing, unsure = _standing(backend, name, at)
    (record,) = backend.records.at(
        Topic.DEAD_LETTERS, standing.source.partition, standing.letter_offset, 1
    )
    letter = read_letter(record)
    assert letter is not None, f"{name} was read as a letter before"
    told = letter_to_json(standing, letter, backend.partition_count)
    with backend.connection() as connection:
        taken = waiting.holder(connection, waiting.LETTER, "", name)
    return page(
        request,
        "work/letter.html",
        letter=told,
        unsure=unsure,
        holder=taken,
    )


@router.post("/redrive")
def redrive(
    request: Request,
    backend: Asked,
    letter: Annotated[str, Form(max_length=60)],
    reason: Annotated[str, Form(max_length=MAX_TEXT)] = "",
) -> Response:
    """Send one to the decider again, once; a second click is told what became of it."""
    me = caller_of(request).name
    with backend.connection() as connection:
        has = waiting.holder(connection, waiting.LETTER, "", letter)
    if has is not None and has.name != me:
        return page(request, "work/taken.html", 409, holder=has, back="/work/letters")
    order = Order(kind=Resolved.REDRIVEN, actor=me, reason=reason.strip())
    before, now = _resolved(backend, letter, order)
    with backend.connection() as connection:
        waiting.give_back(connection, waiting.LETTER, "", letter, me)
    return page(request, "work/redriven.html", resolution=before or now, now=before is None)


def _resolved(
    backend: Backend, name: str, order: Order
) -> tuple[Resolution | None, Resolution | None]:
    """What had become of the letter before, and what became of it now.

    1. This process becomes the only writer of resolutions. 2. The letter is looked for when nobody
    else can close it any more. 3. Its copy and its closing are written in one transaction. After a
    crash the letter is open or closed, and the next try sees which.
    """
    with _tools(backend) as tools, _writer(backend) as writer:
        standing = _named(name, settled_letter_statuses(tools, writer).values())
        if standing.resolution is not None:
            return standing.resolution, None
        return None, next(resolve(tools, writer, [standing], order))


def _before(backend: Backend, cursor: str) -> tuple[int, ...] | None:
    place = place_of("letters", cursor or None, backend.partition_count)
    if place is None:
        return None
    if not all(map(is_number, place)):
        raise Problem(400, "The request cannot be read", "cursor: take the one of the page before")
    return tuple(map(int, place))


def _standing(backend: Backend, name: str, at: int | None) -> tuple[LetterStatus, bool]:
    """A letter as it stands, and whether it may be closed though it looks open."""
    partition = name.partition(":")[0]
    if at is not None and is_number(partition):
        found, unsure = letter_at(backend.records, int(partition), at)
        if found is not None and str(found.source) == name:
            return found, unsure
    with _tools(backend) as tools:
        return _named(name, letter_statuses(tools).values()), False


def _named(name: str, found: Iterable[LetterStatus]) -> LetterStatus:
    for each in found:
        if str(each.source) == name:
            return each
    raise Problem(404, "Not found", f"there is no dead letter {name!r}")


def _tools(backend: Backend) -> closing[KafkaTools]:
    return closing(KafkaTools(backend.ledger.kafka))


@contextmanager
def _writer(backend: Backend) -> Iterator[KafkaOnlyWriter]:
    if not _WRITING.acquire(timeout=_PATIENCE_SECONDS):
        raise Problem(503, "Not available", "another redrive is under way; try again in a moment")
    try:
        with closing(KafkaOnlyWriter(backend.ledger.kafka, WRITER, on_hang=_told)) as writer:
            yield writer
    finally:
        _WRITING.release()


def _told(what: str) -> None:
    """This process serves others too: it goes on, and the next writer shuts the hanging one out."""
    _log.error("a writer of dead letters hangs", what=what)
