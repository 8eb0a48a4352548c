"""`/books`: the trial balance now or then, and the ways to exports, journal, report, closings."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from console.web.api.queries import Asked
from console.web.closing.runs import newest_runs
from console.web.pages.books.exports import VIEWS
from console.web.pages.rendering import AskedPast, page, table_of
from console.web.pages.rendering.before_rows import stand
from projector.asking.queries import ask
from projector.exports.writing import Format
from projector.questions import QUESTIONS

router = APIRouter(tags=["pages"], include_in_schema=False)
PARTS = ("trial", "trial-balance")


@router.get("/books", dependencies=[Depends(stand)])
def books(request: Request, backend: Asked, past: AskedPast) -> HTMLResponse:
    """Debits and credits in all, and of each account of the books."""
    with backend.connection() as connection:
        at = past.moment(connection)
        parts = [
            table_of(ask(connection, QUESTIONS[name], moment=at), past.query) for name in PARTS
        ]
        closings = newest_runs(connection)
    return page(
        request,
        "books/books.html",
        parts=parts,
        past=past,
        closings=closings,
        views=VIEWS,
        formats=[each.value for each in Format],
        may_close=may_close(request),
    )


def may_close(request: Request) -> bool:
    """Whether who asks may close a month, which only changes what is offered."""
    caller = request.state.caller
    return (
        bool(caller.principals & {"finance", "operator"}) and not request.app.state.look.read_only
    )
