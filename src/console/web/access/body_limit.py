"""Refuses the body of a request that is too long, before all of it is in memory."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1_000_000


class BodyLimit:
    """Wraps an application; the routes of `apart` count the bytes of their bodies themselves."""

    def __init__(self, app: ASGIApp, *, apart: frozenset[str]) -> None:
        self._app = app
        self._apart = apart

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 413 once more than `MOST_BYTES` have come."""
        limited = scope["type"] == "http" and scope["path"] not in self._apart
        await self._app(scope, _counted(receive) if limited else receive, send)


def _counted(receive: Receive) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MOST_BYTES:
            raise HTTPException(413, f"the body of a request has at most {MOST_BYTES} bytes")
        return message

    return counted
