"""Lets an id in a path have every character: a route takes a value as it was sent, then reads it.

Servers decode a path before the routes see it, so that `a%2Fb`, one id, would look like two parts.
"""

from __future__ import annotations

from urllib.parse import unquote

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send


class WholeIds:
    """Wraps an application: its routes see the path as it was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the path that is still encoded."""
        if sent := scope.get("raw_path"):
            scope = {**scope, "path": sent.decode("latin-1")}
        await self._app(scope, receive, send)


async def read_ids(request: Request) -> None:
    """The first dependency of every route: decodes each value of the path by itself."""
    values = request.path_params.items()
    request.scope["path_params"] = {name: unquote(value) for name, value in values}
