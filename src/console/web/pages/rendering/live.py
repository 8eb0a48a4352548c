"""`/live`: tells every connected page when the read models move, by server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from psycopg import Error
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool

from console.web.access.guard import still_there
from console.web.backend import Backend
from console.web.pages.rendering.standing import Standing, standing
from console.web.problems import Problem

router = APIRouter(tags=["pages"], include_in_schema=False)
MOST_STREAMS = 500
LOOK_SECONDS, PING_SECONDS = 0.25, 10.0
AWAY = "away"


class Live:
    """One for the process: looks at the read models while somebody listens, and tells all."""

    def __init__(self, backend: Backend, *, most: int = MOST_STREAMS) -> None:
        self._backend = backend
        self._most = most
        self._listening: set[asyncio.Event] = set()
        self._seen: Standing | str | None = None
        self.stopping: Callable[[], bool] = lambda: False

    @property
    def listening(self) -> int:
        """How many pages are connected."""
        return len(self._listening)

    async def run(self) -> None:
        """Look, tell, wait, until it is cancelled. 1. With nobody listening nothing is asked.
        2. A change wakes all, and so does the end of the server, which then waits for nobody.
        """
        while True:
            if self._listening:
                before, self._seen = self._seen, await run_in_threadpool(self._look)
                if _text(before) != _text(self._seen) or self.stopping():
                    self._wake_all()
            await asyncio.sleep(LOOK_SECONDS)

    async def stream(self, seen: str, allowed: Callable[[], bool]) -> AsyncIterator[str]:
        """What a page is told: `moved` with the new places, `reached` from time to time, `away`
        while the database does not answer, `ended` when the session has.
        """
        mine = asyncio.Event()
        self._listening.add(mine)
        try:
            while not self.stopping():
                if not await self._allows(allowed):
                    yield _event("ended")
                    return
                now, told = self._seen, _text(self._seen)
                if isinstance(now, Standing):
                    yield _event("reached", now.reached_at or "")
                if told is not None and told != seen:
                    yield _event(AWAY) if told == AWAY else _event("moved", told)
                    seen = told
                await self._woken(mine)
        finally:
            self._listening.discard(mine)

    def may_listen(self) -> bool:
        """Whether there is room for one more."""
        return self.listening < self._most

    async def _woken(self, mine: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(mine.wait(), PING_SECONDS)
        except TimeoutError:
            return
        mine.clear()

    async def _allows(self, allowed: Callable[[], bool]) -> bool:
        """A database that is away does not say that the session has ended."""
        try:
            return await run_in_threadpool(allowed)
        except (Error, PoolTimeout):
            return True

    def _look(self) -> Standing | str | None:
        try:
            with self._backend.connection() as connection:
                return standing(connection)
        except (Error, PoolTimeout):
            return AWAY

    def _wake_all(self) -> None:
        for each in self._listening:
            each.set()


@router.get("/live")
async def live(
    request: Request,
    seen: Annotated[str, Query(max_length=20_000, description="The places that the page shows.")],
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """The stream of a page, from the places on that it shows."""
    telling: Live = request.app.state.live
    if not telling.may_listen():
        raise Problem(503, "Not available", "too many pages are connected; load the page by hand")
    told = telling.stream(last_event_id or seen, lambda: still_there(request))
    return StreamingResponse(
        told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def _text(seen: Standing | str | None) -> str | None:
    return seen.text if isinstance(seen, Standing) else seen


def _event(name: str, data: str = "") -> str:
    mark = f"id: {data}\n" if name == "moved" else ""
    return f"{mark}event: {name}\ndata: {data}\n\n"
