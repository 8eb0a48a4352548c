"""Lets a request through if the access matrix says that who asks may call the route."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from msgspec import Struct
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool

from console.web.access import people
from console.web.access.own_site import refuse_other_hosts, refuse_other_sites
from console.web.access.own_things import BUYER, VENDOR, OwnThings, own_part, see_account
from console.web.access.proxy import Proxy, named_by
from console.web.approving.limits import Giver
from console.web.backend import Backend
from console.web.problems import GoTo, Problem, SignInFirst
from ledger.log.access import EVERYBODY, Matrix

SESSION_COOKIE = "refunds_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LIVE = "Refunds-Live"
"""The header of a request that a page made by itself: it does not keep an idle session alive."""
_OF_SESSIONS = ("/signin", "/signout", "/sessions")


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks: a name, and the principals of the matrix that it acts as.

    `mark`: by what it is known again; None where nobody has to sign in. `own`: what a buyer or a
    vendor may see and act on; None for whoever may see all that the route shows.
    """

    name: str
    principals: frozenset[str]
    csrf: str | None = None
    mark: people.Mark | None = None
    own: OwnThings | None = None

    @property
    def by_token(self) -> bool:
        """Whether the request carries a token, which no browser sends on its own."""
        return self.mark is not None and self.mark.kind == "token"

    @property
    def giver(self) -> Giver:
        """The same as who gives a command."""
        return Giver(name=self.name, for_owners="gateway" in self.principals)


def guard_of(
    matrix: Matrix, *, everything_open: bool, hosts: frozenset[str], read_only: bool = False
) -> Callable[[Request], Any]:
    """The dependency of every route. Open: whoever asks one of `hosts` is `local`, and may call
    everything. Read only: nobody may call what writes, but people sign in and out.
    """
    local = Caller(name="local", principals=frozenset(matrix.principals))

    async def guard(request: Request) -> None:
        """401 for nobody, 403 for whoever may not, or who comes from another site's page."""
        path: str = request.scope["route"].path
        key = f"{request.method} {path}"
        rights = matrix.rights_on("route", key)
        allowed = {right.principal for right in rights if right.operation == "CALL"}
        of_own = {right.principal for right in rights if right.operation == "OWN"}
        if everything_open:
            refuse_other_hosts(request.headers, hosts)
        caller = (
            local
            if everything_open
            else await run_in_threadpool(_caller, request, used=LIVE not in request.headers)
        )
        request.state.caller = caller
        if read_only and request.method not in SAFE and not path.startswith(_OF_SESSIONS):
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
            own = of_own & caller.principals
            if not own or caller.own is None or not _takes_own(request.scope["route"]):
                if key == "GET /" and caller.principals & set(_HOMES):
                    raise GoTo(_home(caller))
                takes = " or ".join(sorted(allowed)) or "nobody"
                raise Problem(403, "Not allowed", f"{caller.name} may not {key}; it takes {takes}")
            request.state.caller = replace(caller, own=own_part(caller.own, frozenset(own)))
        else:
            request.state.caller = replace(caller, own=None)
        if caller.csrf is not None and request.method not in SAFE:
            await _check_origin(request, caller.csrf)

    return guard


def caller_of(request: Request) -> Caller:
    """Who asks, on a route that is not everybody's."""
    caller: Caller = request.state.caller
    return caller


_HOMES = {BUYER: "/lists/accounts", VENDOR: "/lists/marketplace-requests"}


def _home(caller: Caller) -> str:
    return next(path for principal, path in _HOMES.items() if principal in caller.principals)


def own_things(request: Request) -> OwnThings | None:
    """What whoever asks may see; None: everything. A route that takes it keeps to it, and no other
    route is open to those who may see their own things alone.
    """
    return caller_of(request).own


Own = Annotated[OwnThings | None, Depends(own_things)]


def own_account(request: Request) -> None:
    """404 where a path is about somebody else's account; for routes that are about one alone."""
    see_account(caller_of(request).own, request.path_params["account_id"])


def _takes_own(route: APIRoute) -> bool:
    return any(each.call in {own_things, own_account} for each in route.dependant.dependencies)


def _named_by_proxy(request: Request) -> Caller | None:
    proxy: Proxy | None = request.app.state.proxy
    peer = None if request.client is None else request.client.host
    named = None if proxy is None else named_by(proxy, request.headers, peer)
    if named is None:
        return None
    return Caller(
        name=named.name,
        principals=named.principals,
        csrf=named.csrf,
        mark=people.Mark(kind="name", name=named.name),
        own=OwnThings(),
    )


def _token(request: Request) -> str:
    """What follows `Bearer`; empty where nothing does."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _caller(request: Request, *, used: bool = True) -> Caller | None:
    backend: Backend = request.app.state.backend
    if (named := _named_by_proxy(request)) is not None:
        with backend.connection() as connection:
            return None if people.has_ended(connection, named.name) else named
    token, session_id = _token(request), request.cookies.get(SESSION_COOKIE)
    with backend.connection() as connection:
        if token:
            mark, signed = people.mark_of_token(token), people.of_token(connection, token)
        elif session_id:
            mark = people.mark_of_session(session_id)
            signed = people.of_session(connection, session_id, used=used)
        else:
            return None
    if signed is None:
        return None
    return Caller(
        name=signed.name,
        principals=frozenset(signed.principals),
        csrf=signed.csrf,
        mark=mark,
        own=OwnThings(
            accounts=tuple(signed.accounts),
            vendors=tuple(signed.vendors),
            buyer_id=signed.buyer_id,
        ),
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
    if not hmac.compare_digest((sent or "").encode("utf-8", "replace"), csrf.encode()):
        raise Problem(403, "Not allowed", "the form is not from this session; load the page again")
