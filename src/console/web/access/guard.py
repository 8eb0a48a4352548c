"""Lets a request through if the access matrix says that who asks may call the route."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from fastapi import Request
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from console.web.access import people
from console.web.access.own_site import refuse_other_hosts, refuse_other_sites
from console.web.backend import Backend
from console.web.problems import Problem, SignInFirst
from ledger.log.access import EVERYBODY, Matrix

SESSION_COOKIE = "refunds_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_SESSIONS = ("/signin", "/signout")


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks: a name, and the principals of the matrix that it acts as.

    `by_token`: the request carries a token, which no browser sends on its own.
    """

    name: str
    principals: frozenset[str]
    csrf: str | None = None
    by_token: bool = False


def guard_of(
    matrix: Matrix, *, everything_open: bool, hosts: frozenset[str], read_only: bool = False
) -> Callable[[Request], Any]:
    """The dependency of every route. Open: whoever asks one of `hosts` is `local`, and may call
    everything. Read only: nobody may call what writes, but people sign in and out.
    """
    local = Caller(name="local", principals=frozenset(matrix.principals))

    async def guard(request: Request) -> None:
        """401 for nobody, 403 for whoever may not, or who comes from another site's page."""
        key = f"{request.method} {request.scope['route'].path}"
        allowed = {right.principal for right in matrix.rights_on("route", key)}
        if everything_open:
            refuse_other_hosts(request.headers, hosts)
        caller = local if everything_open else await run_in_threadpool(_caller, request)
        request.state.caller = caller
        if read_only and request.method not in SAFE and not key.endswith(_OF_SESSIONS):
            raise Problem(
                403, "Not allowed", "this console was started read only; nothing was done"
            )
        if request.method not in SAFE and not (caller and caller.by_token):
            refuse_other_sites(request.headers)
        if EVERYBODY in allowed:
            return
        if caller is None:
            raise _unknown(request)
        if not allowed & caller.principals:
            raise Problem(
                403,
                "Not allowed",
                f"{caller.name} may not {key}; it takes {' or '.join(sorted(allowed)) or 'nobody'}",
            )
        if caller.csrf is not None and request.method not in SAFE:
            await _check_origin(request, caller.csrf)

    return guard


def caller_of(request: Request) -> Caller:
    """Who asks, on a route that is not everybody's."""
    caller: Caller = request.state.caller
    return caller


def _caller(request: Request) -> Caller | None:
    backend: Backend = request.app.state.backend
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    session_id = request.cookies.get(SESSION_COOKIE)
    with backend.connection() as connection:
        if kind.lower() == "bearer" and token:
            signed, by_token = people.of_token(connection, token.strip()), True
        elif session_id:
            signed, by_token = people.of_session(connection, session_id), False
        else:
            return None
    if signed is None:
        return None
    return Caller(
        name=signed.name,
        principals=frozenset(signed.principals),
        csrf=signed.csrf,
        by_token=by_token,
    )


def _unknown(request: Request) -> Exception:
    if "text/html" in request.headers.get("Accept", ""):
        return SignInFirst()
    return Problem(
        401, "Sign in first", "send 'Authorization: Bearer TOKEN', or sign in on the page /signin"
    )


async def _check_origin(request: Request, csrf: str) -> None:
    """A browser sends a session's cookie from anybody's page, but only ours knows its token."""
    sent = request.headers.get("X-CSRF-Token")
    if sent is None and "form" in request.headers.get("Content-Type", ""):
        sent = str((await request.form()).get("csrf", ""))
    if not hmac.compare_digest(sent or "", csrf):
        raise Problem(403, "Not allowed", "the form is not from this session; load the page again")
