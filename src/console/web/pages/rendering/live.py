"""`/live`: tells every connected page when the read models move, by server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from psycopg import Error
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool

from console.web.access import people
from console.web.access.guard import caller_of
from console.web.access.people import Mark
from console.web.backend import Backend
from console.web.background import LIVE, Background
from console.web.pages.rendering.standing import Standing, standing
from console.web.problems import Problem

router = APIRouter(tags=["pages"], include_in_schema=False)
MOST_STREAMS = 500
LOOK_SECONDS, LATEST_SECONDS, PING_SECONDS = 0.25, 5.0, 10.0
AWAY = "away"


class Live:
    """One for the process: looks at the read models while somebody listens, and tells all."""

    def __init__(
        self, backend: Backend, background: Background, *, most: int = MOST_STREAMS
    ) -> None:
        self._backend = backend
        self._background = background
        self._most = most
        self._listening: dict[asyncio.Event, Mark | None] = {}
        self._there: set[Mark | None] = set()
        self._told_at = 0.0
        self._seen: Standing | str | None = None
        self.stopping: Callable[[], bool] = lambda: False

    @property
    def listening(self) -> int:
        """How many pages are connected."""
        return len(self._listening)

    async def run(self) -> None:
        """Look, tell, wait, until it is cancelled. 1. With nobody listening nothing is asked.
        2. A change wakes all, and so does the end of the server, which then waits for nobody.
        3. A fault of ours tells all that nothing can be known now; then it goes on, later.
        """
        while True:
            try:
                if self._listening:
                    await self._tell()
                self._background.did(LIVE)
            except Exception as error:  # a fault of ours, which must not end the task
                self._background.failed(LIVE, error)
                self._seen = AWAY
                self._wake_all()
            await asyncio.sleep(self._background.pause_seconds(LIVE, LOOK_SECONDS, LATEST_SECONDS))

    async def stream(self, seen: str, mark: Mark | None) -> AsyncIterator[str]:
        """What a page is told: `moved` with the new places, `reached` from time to time, `away`
        while the database does not answer, `ended` when the session has.
        """
        mine = asyncio.Event()
        if mark is not None:
            self._there.add(mark)  # the route has seen so
        self._listening[mine] = mark
        try:
            while not self.stopping():
                if mark is not None and mark not in self._there:
                    yield _event("ended")
                    return
                now, told = self._seen, _text(self._seen)
                if isinstance(now, Standing):
                    yield _event("reached", now.reached_at or "")
                if told is not None and told != seen:
                    yield _event(AWAY) if told == AWAY else _event("moved", told)
                    seen = told
                await mine.wait()
                mine.clear()
        finally:
            del self._listening[mine]

    def may_listen(self) -> bool:
        """Whether there is room for one more."""
        return self.listening < self._most

    async def _tell(self) -> None:
        """Look, and after a change, or when it is time, wake all who may still listen."""
        before, self._seen = self._seen, await run_in_threadpool(self._look)
        moved = _text(before) != _text(self._seen)
        if moved or self.stopping() or time.monotonic() >= self._told_at + PING_SECONDS:
            asked = {mark for mark in self._listening.values() if mark is not None}
            self._there -= asked - await run_in_threadpool(self._still_there, asked)
            self._there &= set(self._listening.values())
            self._told_at = time.monotonic()
            self._wake_all()

    def _still_there(self, asked: set[Mark]) -> set[Mark]:
        """A database that is away does not say that a session has ended."""
        try:
            with self._backend.connection() as connection:
                return people.still_there(connection, asked) if asked else asked
        except (Error, PoolTimeout):
            return asked

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
    told = telling.stream(last_event_id or seen, caller_of(request).mark)
    return StreamingResponse(
        told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def _text(seen: Standing | str | None) -> str | None:
    return seen.text if isinstance(seen, Standing) else seen


def _event(name: str, data: str = "") -> str:
    mark = f"id: {data}\n" if name == "moved" else ""
    return f"{mark}event: {name}\ndata: {data}\n\n"
