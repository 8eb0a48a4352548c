"""The web application: its routes, its errors, and what is held while it runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.middleware.base import RequestResponseEndpoint
from starlette.staticfiles import StaticFiles

from console.terminal.output import version
from console.web import metrics, problems
from console.web.access.body_limit import BodyLimit
from console.web.access.guard import guard_of
from console.web.access.oidc import Oidc
from console.web.access.own_site import LOOPBACK_HOSTS
from console.web.access.proxy import Proxy, ProxyScheme
from console.web.access.whole_ids import WholeIds, read_ids
from console.web.api import accounts, approvals, batches, clock, commands, events, health, queries
from console.web.api.bookkeeping import closings as closings_api
from console.web.api.bookkeeping import rules as rules_api
from console.web.api.openapi import EVERYWHERE, describe
from console.web.backend import Backend
from console.web.background import Background
from console.web.desk import keep_publishing
from console.web.pages import signing_in
from console.web.pages.accounts.pages import PAGES as ACCOUNTS
from console.web.pages.acting import routes as acting
from console.web.pages.books import closings, exports, report
from console.web.pages.books import routes as books
from console.web.pages.events import letters
from console.web.pages.events import routes as event_pages
from console.web.pages.lists import reference
from console.web.pages.lists import routes as lists
from console.web.pages.overview import routes as overview
from console.web.pages.overview.figures import Counted
from console.web.pages.rendering import live, page
from console.web.pages.rendering.environment import STATIC, Look
from console.web.pages.rendering.live import Live
from console.web.pages.rendering.sayings import accepted_saying, saying_of
from console.web.pages.rules import routes as rules
from console.web.pages.webhooks.pages import PAGES as WEBHOOKS
from console.web.pages.work.pages import PAGES as WORK
from ledger.log.access import read_matrix

AS_USUAL = Look()

_API = (
    health,
    metrics,
    queries,
    commands,
    batches,
    approvals,
    accounts,
    clock,
    events,
    closings_api,
    rules_api,
)
_PAGES = (
    live,
    signing_in,
    overview,
    lists,
    reference,
    letters,
    event_pages,
    rules,
    acting,
    books,
    exports,
    closings,
    report,
)
"""The rooms: what each adds to the application is its `router`."""


def _share(app: FastAPI, backend: Backend, look: Look) -> None:
    """What the routes find at the application."""
    app.state.requests = metrics.Requests()
    background = Background(app.state.requests.registry)
    app.state.background, app.state.live = background, Live(backend, background)
    app.state.backend, app.state.look = backend, look
    app.state.counted = Counted()
    app.state.saying = accepted_saying


def application(
    backend: Backend,
    *,
    everything_open: bool = False,
    hosts: frozenset[str] = LOOPBACK_HOSTS,
    look: Look = AS_USUAL,
    oidc: Oidc | None = None,
    proxy: Proxy | None = None,
) -> FastAPI:
    """The application over a backend, which it opens and closes.

    Open: nobody has to sign in; then it answers only under the names of `hosts`. The look says
    whether nothing may be done, and whether the pages hide amounts. `oidc` signs people in beside
    the local ones, and so does `proxy`.
    """
    guard = guard_of(
        read_matrix(), everything_open=everything_open, hosts=hosts, read_only=look.read_only
    )

    app = FastAPI(
        title="Refund ledger",
        version=version(),
        lifespan=_held,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        responses=EVERYWHERE,
        dependencies=[Depends(read_ids), Depends(guard)],
    )
    _share(app, backend, look)
    app.state.oidc, app.state.proxy = oidc, proxy
    app.state.answer_to = problems.install(app, problem_page)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(BodyLimit, apart=frozenset({"/v1/batches"}))
    app.middleware("http")(_with_headers)
    app.middleware("http")(app.state.requests.counted)
    app.add_middleware(WholeIds)
    if proxy is not None:
        app.add_middleware(ProxyScheme, proxy=proxy)
    for each in (*_API, *_PAGES, *ACCOUNTS, *WORK, *WEBHOOKS):
        app.include_router(each.router)
    describe(app)
    return app


@asynccontextmanager
async def _held(app: FastAPI) -> AsyncIterator[None]:
    """Beside the requests live pages are told news, and what was approved is published."""
    backend: Backend = app.state.backend
    backend.open()
    telling = asyncio.create_task(app.state.live.run())
    ended = threading.Event()
    publishing = threading.Thread(
        target=keep_publishing,
        args=(backend, ended, app.state.background),
        name="publishing",
        daemon=True,
    )
    if not app.state.look.read_only:
        publishing.start()
    try:
        yield
    finally:
        telling.cancel()
        ended.set()
        if publishing.is_alive():
            publishing.join()
        backend.close()


def problem_page(request: Request, problem: problems.Problem) -> Response:
    """A problem as a page with a way back."""
    told = problems.told_in(problem, saying_of(request))
    return page(request, "problem.html", problem.status, problem=told)


_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept, Accept-Language, Authorization, Cookie",
}
_OF_FILES = {"Cache-Control": "no-cache"}
"""The same for everybody: a browser keeps them, and asks whether they have changed."""


async def _with_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """No page runs what is not ours, is framed by others, or stays in a cache: also none that tells
    an error, which the framework would answer outside of this.
    """
    try:
        answer = await call_next(request)
    except Exception as error:
        answer = await run_in_threadpool(request.app.state.answer_to, request, error)
    of_file = request.url.path.startswith("/static/")
    for name, value in (_HEADERS | _OF_FILES if of_file else _HEADERS).items():
        answer.headers.setdefault(name, value)
    if request.url.scheme == "https":
        answer.headers["Strict-Transport-Security"] = "max-age=31536000"
    return answer
