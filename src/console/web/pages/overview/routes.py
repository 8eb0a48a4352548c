"""`/`: what was refunded, what is on its way, what waits, and what was refused."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.pages.overview.figures import DAYS, Counted, Figures, days_of, figures_of
from console.web.pages.overview.pictures import stacked
from console.web.pages.rendering import page
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.standing import Standing

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.get("/", dependencies=[Depends(stand)])
def overview(request: Request, backend: Asked) -> HTMLResponse:
    """Refunds by day and rule, money on its way, the recycle bin, the cap, refusals."""
    counted: Counted = request.app.state.counted
    stands: Standing | None = request.state.standing
    places = "" if stands is None else stands.text
    found = counted.at(places, lambda: _count(backend))
    return page(
        request,
        "overview/overview.html",
        found=found,
        days=DAYS,
        picture=stacked(days_of(found.refunds), found.last_day, DAYS),
    )


def _count(backend: Backend) -> Figures:
    with backend.connection() as connection:
        return figures_of(connection)
