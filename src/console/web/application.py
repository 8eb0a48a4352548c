"""The web application: its routes, its errors, and what is held while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from console.terminal.output import version
from console.web import problems
from console.web.api import accounts, commands, health, queries
from console.web.backend import Backend


def application(backend: Backend) -> FastAPI:
    """The application over a backend, which it opens and closes."""

    @asynccontextmanager
    async def held(_: FastAPI) -> AsyncIterator[None]:
        backend.open()
        try:
            yield
        finally:
            backend.close()

    app = FastAPI(
        title="Refund ledger",
        version=version(),
        lifespan=held,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.backend = backend
    problems.install(app)
    for each in (health, queries, commands, accounts):
        app.include_router(each.router)
    return app
