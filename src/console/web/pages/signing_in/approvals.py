"""`/approvals`: what waits for a second person, as a page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from console.rendering.reports.reasons import pairs
from console.sealing.showing import Opener
from console.web.access.guard import caller_of
from console.web.access.texts import opener_for
from console.web.api.approvals import proposal_shown
from console.web.api.cursors import cursor_of, place_of
from console.web.api.queries import Asked
from console.web.approving import proposals
from console.web.approving.proposals import Proposal, Which
from console.web.desk import approve
from console.web.pages.rendering import page

router = APIRouter(tags=["pages"], include_in_schema=False)
_PATIENCE_SECONDS = 5.0
ROWS = 50


@router.get("/approvals")
def approvals_page(
    request: Request,
    backend: Asked,
    waiting: Annotated[str, Query()] = "",
    decided: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """What waits, and what was decided; each the newest first, or those after a cursor."""
    cursors = {"waiting": (Which.WAITING, waiting), "decided": (Which.OVER, decided)}
    values: dict[str, Any] = {}
    with backend.connection() as connection:
        opener = opener_for(request, backend, connection)
        for name, (which, cursor) in cursors.items():
            after = place_of(f"approvals-{name}", cursor or None, proposals.PLACE)
            found, last = proposals.newest(connection, which, ROWS, after)
            values[name] = [_shown(opener, each) for each in found]
            values[f"more_{name}"] = "" if last is None else cursor_of(f"approvals-{name}", last)
    return page(request, "signing_in/approvals.html", **values)


@router.post("/approvals/{account_id}/{command_id}/approve")
def approve_it(request: Request, account_id: str, command_id: str, backend: Asked) -> Response:
    """Approve it as the second person, and see what came of it."""
    by = caller_of(request).giver
    approve(backend, (account_id, command_id), _PATIENCE_SECONDS, by=by)
    return RedirectResponse("/approvals", 303)


@router.post("/approvals/{account_id}/{command_id}/decline")
def decline_it(request: Request, account_id: str, command_id: str, backend: Asked) -> Response:
    """Decline it, or withdraw the own proposal."""
    with backend.connection() as connection:
        proposals.decline(connection, (account_id, command_id), caller_of(request).name)
    return RedirectResponse("/approvals", 303)


def _shown(opener: Opener, proposal: Proposal) -> dict[str, Any]:
    told = proposal_shown(opener, proposal)
    return {**told, "body": pairs(told["body"])}
