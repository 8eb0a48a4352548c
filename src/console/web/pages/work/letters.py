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
from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.pages.rendering import page
from console.web.pages.work import waiting
from console.web.problems import Problem
from consumers.dead_letters.redrive import WRITER, Order, resolve
from consumers.dead_letters.status import (
    LetterStatus,
    letter_of,
    letter_statuses,
    settled_letter_statuses,
)
from ledger.log.kafka import KafkaOnlyWriter, KafkaTools
from ledger.wire.dead_letters.closing import Resolution, Resolved
from ledger.wire.dead_letters.letter import MAX_TEXT

router = APIRouter(prefix="/work/letters", tags=["pages"], include_in_schema=False)
MOST = 200
_WRITING = threading.Lock()
"""A second writer would shut the first one out."""
_PATIENCE_SECONDS = 10.0
_log = structlog.get_logger(__name__)


@router.get("")
def dead_letters(
    request: Request, backend: Asked, closed: Annotated[str, Query()] = ""
) -> HTMLResponse:
    """The open ones, or the closed ones too; the latest first."""
    with _tools(backend) as tools:
        found = [
            each for each in letter_statuses(tools).values() if closed or each.resolution is None
        ]
    found.sort(key=lambda each: (each.set_aside_at, each.source), reverse=True)
    with backend.connection() as connection:
        taken = waiting.holders(connection, waiting.LETTER)
    return page(
        request,
        "work/letters.html",
        letters=[standing_to_json(each) for each in found[:MOST]],
        left_off=max(0, len(found) - MOST),
        taken=taken,
        closed=closed,
    )


@router.get("/{name}")
def a_letter(request: Request, backend: Asked, name: str) -> HTMLResponse:
    """One, with its reason, its bytes, and whether it could be read today."""
    with _tools(backend) as tools:
        standing = _named(name, letter_statuses(tools).values())
        letter = letter_of(tools, standing)
        told = letter_to_json(standing, letter, tools.partition_count)
    with backend.connection() as connection:
        taken = waiting.holder(connection, waiting.LETTER, "", name)
    return page(
        request,
        "work/letter.html",
        letter=told,
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
