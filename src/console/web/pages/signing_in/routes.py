"""`/signin` and `/signout`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from console.web.access import people
from console.web.access.guard import SESSION_COOKIE
from console.web.api.queries import Asked
from console.web.pages.rendering import page
from console.web.pages.rendering.languages import N_

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.get("/signin")
def signin_page(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002, the usual name
    """The form."""
    return _form(request, next, 200)


@router.post("/signin")
def sign_in(
    request: Request,
    backend: Asked,
    name: Annotated[str, Form()],
    password: Annotated[str, Form()],
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002, as above
) -> Response:
    """Begin a session and go where the person wanted to; or the form again, with the reason."""
    try:
        session_id = people.sign_in(backend.connection, name, password, code, backend.master)
        reason = N_("Name, password or code are wrong.")
    except people.Locked:
        session_id = None
        reason = N_("Too many wrong passwords: try again in five minutes.")
    if session_id is None:
        return _form(request, next, 403, name=name, reason=reason)
    return signed_in(request, session_id, own_path(next))


def _form(
    request: Request, path: str, status: int, *, name: str = "", reason: str = ""
) -> HTMLResponse:
    return page(
        request,
        "signing_in/signin.html",
        status,
        next=own_path(path),
        name=name,
        reason=reason,
        by_provider=request.app.state.oidc is not None,
    )


def signed_in(request: Request, session_id: str, path: str) -> Response:
    """Go on to a path, with the session's cookie."""
    answer = RedirectResponse(path, 303)
    answer.set_cookie(
        SESSION_COOKIE,
        session_id,
        max_age=people.SESSION_SECONDS,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/signout")
def sign_out(request: Request, backend: Asked) -> Response:
    """End the session."""
    with backend.connection() as connection:
        people.sign_out(connection, request.cookies.get(SESSION_COOKIE, ""))
    return signed_out()


def signed_out() -> Response:
    """Go on to the form, without the session's cookie."""
    answer = RedirectResponse("/signin", 303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


def own_path(path: str) -> str:
    """Never another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
