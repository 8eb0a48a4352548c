"""`/`: what waits, what is on its way, and the books."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from console.web.access.texts import opener_for
from console.web.api.queries import Asked
from console.web.pages.rendering import page, table_of
from console.web.pages.rendering.standing import stand
from projector.asking.queries import ask
from projector.questions import QUESTIONS

router = APIRouter(tags=["pages"], include_in_schema=False)
ROWS_OF_A_PART = 20
PARTS = (
    "recycle-bin",
    "refund-progress",
    "marketplace-requests",
    "overpaid-refunds",
    "trial-balance",
)


@router.get("/", dependencies=[Depends(stand)])
def overview(request: Request, backend: Asked) -> HTMLResponse:
    """What waits, what is on its way, and the books."""
    with backend.connection() as connection:
        opener = opener_for(request, backend, connection)
        parts = [
            table_of(opener.answer(ask(connection, QUESTIONS[each], None, ROWS_OF_A_PART)))
            for each in PARTS
        ]
    return page(request, "overview/overview.html", parts=parts)
