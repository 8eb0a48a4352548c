"""`/signin/oidc`: to the provider that signs people in, and back."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from console.web.access import oidc, people
from console.web.access.oidc import Oidc
from console.web.api.queries import Asked
from console.web.pages.signing_in.routes import own_path, signed_in
from console.web.problems import Problem

router = APIRouter(tags=["pages"], include_in_schema=False)
_COOKIE, _CALLBACK = "refunds_signin", "/signin/oidc/callback"


@router.get("/signin/oidc")
def to_the_provider(request: Request, backend: Asked, next: str = "/") -> Response:  # noqa: A002, the usual name
    """Send the browser to the provider."""
    there, browser = _oidc(request).begin(backend.connection, _back(request), own_path(next))
    answer = RedirectResponse(there, 303)
    answer.set_cookie(
        _COOKIE,
        browser,
        max_age=oidc.WAITS_SECONDS,
        path=_CALLBACK,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(_CALLBACK)
def from_the_provider(
    request: Request, backend: Asked, state: str = "", code: str = "", error: str = ""
) -> Response:
    """Begin a session for whom the provider names."""
    asked = _oidc(request)
    with backend.connection() as connection:
        begun = oidc.begun_by(connection, request.cookies.get(_COOKIE, ""), state)
    if error or not code:
        raise Problem(403, "Not allowed", f"the provider says {(error or 'nothing')[:60]!r}")
    told = asked.finish(begun, code, _back(request))
    with backend.connection() as connection, connection.transaction():
        name = oidc.known_person(connection, told)
        session_id = people.new_session(connection, name, people.PROVIDER_SESSION_SECONDS)
    answer = signed_in(request, session_id, begun.next)
    answer.delete_cookie(_COOKIE, path=_CALLBACK)
    return answer


def _oidc(request: Request) -> Oidc:
    found: Oidc | None = request.app.state.oidc
    if found is None:
        raise Problem(404, "Not found", "nobody else signs people in here; use /signin")
    return found


def _back(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('Host', '')}{_CALLBACK}"
