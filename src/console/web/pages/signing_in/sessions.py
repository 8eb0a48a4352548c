"""`/sessions`: where somebody is signed in, and how to end all of that."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from console.web.access import people
from console.web.access.guard import caller_of
from console.web.api.queries import Asked
from console.web.pages.rendering import page
from console.web.pages.signing_in.routes import signed_out
from ledger.values.instants import format_instant, from_datetime

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.get("/sessions")
def sessions_page(request: Request, backend: Asked) -> HTMLResponse:
    """The own sessions that have not ended."""
    with backend.connection() as connection:
        found = people.sessions_of(connection, caller_of(request).name)
    shown = [
        [format_instant(from_datetime(at)) for at in (each.began_at, each.used_at, each.ends_at)]
        for each in found
    ]
    return page(request, "signing_in/sessions.html", sessions=shown)


@router.post("/sessions/end")
def sign_out_everywhere(request: Request, backend: Asked) -> Response:
    """End every own session, this one too."""
    with backend.connection() as connection:
        people.end_sessions(connection, caller_of(request).name)
    return signed_out()
