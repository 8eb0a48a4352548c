"""`/webhooks`: all, and a form to add one; `/webhooks/HOOK`: one, with what it has not taken."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse

from console.running.settings import read_settings
from console.running.webhook_networks import webhook_networks
from console.sealing.webhook_secrets import wrapping
from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.pages.rendering import page
from console.web.pages.rendering.sayings import saying_of
from console.web.pages.webhooks.forms import DONE, kept, may_change, secret_page
from console.web.pages.webhooks.rows import hook_row, trouble_row
from console.web.problems import Problem
from consumers.webhooks import keeping
from consumers.webhooks.hooks import TOLD, named
from consumers.webhooks.targets import TargetRefused, check_url
from ledger.log.kafka import KafkaTools
from ledger.log.seam import Topic

router = APIRouter(prefix="/webhooks", tags=["pages"], include_in_schema=False)
MOST_TROUBLES = 200
Typed = dict[str, str]


@router.get("")
def all_hooks(request: Request, backend: Asked) -> HTMLResponse:
    """All of them, also those that have ended."""
    return _all(request, backend, 200, {}, {})


@router.post("")
def add(
    request: Request,
    backend: Asked,
    url: Annotated[str, Form()] = "",
    events: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Add one, and show its secret, this once."""
    typed = {"url": url.strip(), "events": events.strip()}
    if wrong := _wrong(typed):
        return _all(request, backend, 400, typed, wrong)
    try:
        hook_id, secret = _added(backend, typed)
    except keeping.TooMany as error:
        return _all(request, backend, 409, typed, {"url": str(error)})
    kept(request, hook_id, "add")
    return secret_page(request, hook_id, secret)


@router.get("/{hook_id}")
def one_hook(
    request: Request, backend: Asked, hook_id: str, done: Annotated[str, Query()] = ""
) -> HTMLResponse:
    """One, with every account whose next event was not taken. `done` is what a form did."""
    with backend.connection() as connection:
        found = keeping.shown(connection, hook_id)
        if not found:
            raise Problem(404, "Not found", f"there is no webhook {hook_id!r}")
        troubles = keeping.troubles(connection, hook_id, MOST_TROUBLES)
    return page(
        request,
        "webhooks/hook.html",
        hook=hook_row(found[0]),
        troubles=list(map(trouble_row, troubles)),
        most=MOST_TROUBLES,
        notice=DONE.get(done, ""),
        may=may_change(request) and found[0].ended_at is None,
    )


def _all(
    request: Request, backend: Backend, status: int, typed: Typed, wrong: Typed
) -> HTMLResponse:
    say = saying_of(request)
    with backend.connection() as connection:
        found = keeping.shown(connection)
    return page(
        request,
        "webhooks/hooks.html",
        status,
        hooks=list(map(hook_row, found)),
        kinds=TOLD,
        typed=typed,
        wrong={name: say.expected(why) for name, why in wrong.items()},
        may=may_change(request),
    )


def _wrong(typed: Typed) -> Typed:
    """Field → why what was typed cannot be taken."""
    wrong = {}
    try:
        check_url(typed["url"], webhook_networks(read_settings()))
    except TargetRefused as error:
        wrong["url"] = str(error)
    try:
        named(typed["events"])
    except ValueError as error:
        wrong["events"] = str(error)
    return wrong


def _added(backend: Backend, typed: Typed) -> tuple[str, bytes]:
    with closing(KafkaTools(backend.ledger.kafka)) as tools, backend.connection() as connection:
        return keeping.add(
            connection,
            typed["url"],
            named(typed["events"]),
            lambda: tools.end_offsets(Topic.EVENTS),
            wrapping(backend.master),
        )
