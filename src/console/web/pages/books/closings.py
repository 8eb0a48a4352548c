"""`/books/closings`: closes a month, shows how far that is, and its protocol."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.web.access.guard import caller_of
from console.web.api.queries import Asked
from console.web.closing import runs
from console.web.closing.closer import close_month
from console.web.closing.month import Month, month_of
from console.web.closing.protocol import see_that_it_can_be_closed
from console.web.pages.books.routes import may_close
from console.web.pages.rendering import page
from console.web.pages.rendering.before_rows import stand
from console.web.problems import Problem
from projector.exports.period import BadPeriod

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.post("/books/closings")
def close(request: Request, backend: Asked, month: Annotated[str, Form()] = "") -> Response:
    """Begin to close a month, unless that is being done; then show how far it is."""
    wanted = _month(month.strip())
    with backend.connection() as connection:
        try:
            see_that_it_can_be_closed(connection, wanted)
        except BadPeriod as error:
            raise Problem(409, "Not possible", str(error)) from error
    close_month(backend, wanted, caller_of(request).name)
    return RedirectResponse(f"/books/closings/{quote(str(wanted))}", 303)


@router.get("/books/closings/{month}", dependencies=[Depends(stand)])
def closings_of(request: Request, backend: Asked, month: str) -> HTMLResponse:
    """Every closing of a month: the one that runs, and the protocols."""
    wanted = _month(month)
    with backend.connection() as connection:
        found = runs.runs_of(connection, wanted)
    done = [each for each in found if each.protocol is not None]
    return page(
        request,
        "books/closing.html",
        month=str(wanted),
        until=str(wanted.next),
        runs=found,
        running=bool(found) and found[0].state == runs.RUNNING,
        newest=done[0] if done else None,
        digests={each.run: (each.protocol or {}).get("digest", "") for each in done},
        may_close=may_close(request),
    )


def _month(text: str) -> Month:
    found = month_of(text)
    if found is None:
        raise Problem(
            400, "The request cannot be read", f"month: {text[:40]!r} is none; write 2026-01"
        )
    return found
