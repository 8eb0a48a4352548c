"""`/books/closings`: closes a month, shows how far that is, and its protocol."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.web.access.guard import caller_of
from console.web.api.bookkeeping.closings import begin, wanted_month
from console.web.api.queries import Asked
from console.web.closing import runs
from console.web.pages.books.routes import may_close
from console.web.pages.rendering import page
from console.web.pages.rendering.before_rows import stand

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.post("/books/closings")
def close(request: Request, backend: Asked, month: Annotated[str, Form()] = "") -> Response:
    """Begin to close a month, unless that is being done; then show how far it is."""
    wanted = wanted_month(month.strip())
    begin(backend, wanted, caller_of(request).name)
    return RedirectResponse(f"/books/closings/{quote(str(wanted))}", 303)


@router.get("/books/closings/{month}", dependencies=[Depends(stand)])
def closings_of(request: Request, backend: Asked, month: str) -> HTMLResponse:
    """Every closing of a month: the one that runs, and the protocols."""
    wanted = wanted_month(month)
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
