"""What an operator does with a webhook: test, pause, send again, give up, rotate, end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from console.sealing.webhook_secrets import wrapping
from console.web.access.guard import caller_of
from console.web.api.queries import Asked
from console.web.pages.rendering import page
from console.web.pages.rendering.languages import N_
from console.web.problems import Fault, FieldFault, Problem
from consumers.clock import WallClock
from consumers.webhooks import keeping
from consumers.webhooks.hooks import NO_ACCOUNT
from consumers.webhooks.signing import secret_text
from ledger.values.instants import format_instant, from_datetime
from ledger.values.wording import seen, worded

router = APIRouter(prefix="/webhooks", tags=["pages"], include_in_schema=False)
DONE = {
    "redrive": N_("What was not taken is sent again, from now on."),
    "skip": N_("The first event is given up; what follows is sent from now on."),
    "pause": N_("It is paused: what is recorded waits."),
    "resume": N_("It goes on."),
    "test": N_("A test delivery is on its way. It waits here until it is taken."),
    "end": N_("It has ended: it is sent nothing more."),
    "nothing": N_("Nothing was changed: it is so already, or the last test is still to be taken."),
}
"""What a form did → what the page says of it."""
_log = structlog.get_logger(__name__)


@router.post("/{hook_id}/test")
def send_test(request: Request, backend: Asked, hook_id: str) -> Response:
    """Have a test delivery sent, as events are."""
    with backend.connection() as connection:
        told = keeping.test(connection, hook_id, WallClock().now())
    return _back(request, hook_id, "test" if told else "nothing")


@router.post("/{hook_id}/pause")
def pause(request: Request, backend: Asked, hook_id: str) -> Response:
    """Send it nothing until it goes on."""
    with backend.connection() as connection:
        changed = keeping.pause(connection, hook_id)
    return _back(request, hook_id, "pause" if changed else "nothing")


@router.post("/{hook_id}/resume")
def resume(request: Request, backend: Asked, hook_id: str) -> Response:
    """Go on."""
    with backend.connection() as connection:
        changed = keeping.resume(connection, hook_id, WallClock().now())
    return _back(request, hook_id, "resume" if changed else "nothing")


@router.post("/{hook_id}/redrive")
def redrive(
    request: Request,
    backend: Asked,
    hook_id: str,
    account: Annotated[str | None, Form()] = None,
    tests: Annotated[str, Form()] = "",
    skip: Annotated[str, Form()] = "",
) -> Response:
    """Send again what is dead, or what waits of one account or of the tests; without its first
    event, if asked. An empty field of a form is none, so that the tests have one of their own.
    """
    done = "redrive"
    if tests:
        account = NO_ACCOUNT
    with backend.connection() as connection:
        if skip:
            if account is None or keeping.skip(connection, hook_id, account) is None:
                return _back(request, hook_id, "nothing")
            done = "skip"
        count = keeping.redrive(connection, hook_id, account, WallClock().now())
    return _back(request, hook_id, done if count or skip else "nothing")


@router.post("/{hook_id}/rotate")
def rotate(
    request: Request,
    backend: Asked,
    hook_id: str,
    keep: Annotated[int, Form(ge=0, le=720)] = 24,
) -> Response:
    """A new secret, shown this once; the old one signs too, for so many hours."""
    with backend.connection() as connection:
        made = keeping.rotate(connection, hook_id, timedelta(hours=keep), wrapping(backend.master))
    if made is None:
        raise Problem(404, "Not found", f"there is no webhook {hook_id!r} that has not ended")
    kept(request, hook_id, "rotate")
    return secret_page(request, hook_id, *made)


@router.post("/{hook_id}/end")
def end(
    request: Request, backend: Asked, hook_id: str, sure: Annotated[str, Form()] = ""
) -> Response:
    """Send it nothing more; what waits for it is deleted."""
    if sure != "yes":
        expected = worded("the mark that what waits for it may be deleted")
        raise FieldFault([Fault(field="sure", found=seen("nothing"), expected=expected)])
    with backend.connection() as connection:
        changed = keeping.end(connection, hook_id, f"ended by {caller_of(request).name}")
    return _back(request, hook_id, "end" if changed else "nothing")


def may_change(request: Request) -> bool:
    """Whether who looks may change something here."""
    return "operator" in caller_of(request).principals and not request.app.state.look.read_only


def kept(request: Request, hook_id: str, done: str) -> None:
    """Note who did what."""
    _log.info("a webhook was changed", hook=hook_id, done=done, by=caller_of(request).name)


def secret_page(
    request: Request, hook_id: str, secret: bytes, until: datetime | None = None
) -> HTMLResponse:
    """The page with a secret; `until` the previous one signs too."""
    return page(
        request,
        "webhooks/secret.html",
        hook_id=hook_id,
        secret=secret_text(secret),
        until="" if until is None else format_instant(from_datetime(until)),
    )


def _back(request: Request, hook_id: str, done: str) -> Response:
    """To the hook's page, which says what was done; 404 there if there is no such hook."""
    if done != "nothing":
        kept(request, hook_id, done)
    return RedirectResponse(f"/webhooks/{quote(hook_id, safe='')}?done={done}", 303)
