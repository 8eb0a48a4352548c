"""Renders a page: its template, who looks at it, how it looks, and where it stands."""

from __future__ import annotations

from functools import cache

from fastapi import Request
from fastapi.responses import HTMLResponse

from console.web.access.guard import Caller
from console.web.pages.rendering.environment import Look, environment
from console.web.pages.rendering.here import Here
from console.web.pages.rendering.languages import language_of
from console.web.pages.rendering.standing import Standing
from console.web.pages.rendering.themes import theme_of
from ledger.log.access import read_matrix

_COMMANDS = "POST /v1/accounts/{account_id}/commands/"
_YEAR_SECONDS = 365 * 24 * 3600


def page(request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
    """The page of a template, in the language and the colours of who looks at it.

    A template knows besides its values: `here` (its own address, and the way to others), `caller`,
    `may_act` (whether the caller may give any command here), `standing` (None where the read models
    were not asked), `waits_for` (a command that the page does not show yet), `look`, `language` and
    `theme`.
    """
    look, language, theme = look_of(request), language_of(request), theme_of(request)
    caller: Caller | None = getattr(request.state, "caller", None)
    standing: Standing | None = getattr(request.state, "standing", None)
    text = (
        environment(language, look)
        .get_template(template)
        .render(
            here=Here.of(request),
            caller=caller,
            may_act=not look.read_only and may_act(caller),
            standing=standing,
            waits_for=getattr(request.state, "waits_for", None),
            language=language,
            theme=theme,
            **values,
        )
    )
    answer = HTMLResponse(text, status)
    for name, value in (("lang", language), ("theme", theme)):
        if name in request.query_params:
            answer.set_cookie(
                name,
                value,
                max_age=_YEAR_SECONDS,
                secure=request.url.scheme == "https",
                httponly=True,
                samesite="lax",
            )
    return answer


def look_of(request: Request) -> Look:
    """How the application was started to look."""
    look: Look = request.app.state.look
    return look


def may_act(caller: Caller | None) -> bool:
    """Whether there is any command that a caller may give."""
    return caller is not None and not caller.principals.isdisjoint(_who_acts())


@cache
def _who_acts() -> frozenset[str]:
    rights = read_matrix().rights
    return frozenset(each.principal for each in rights if each.name.startswith(_COMMANDS))
