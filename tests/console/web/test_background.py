"""What runs beside the requests goes on after a fault, tells of it, and asks once for all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from console.running.ledger_locator import Ledger
from console.web import desk
from console.web.access import people
from console.web.access.people import Mark, mark_of_session, mark_of_token
from console.web.background import LIVE, PUBLISHING, Background
from console.web.pages.rendering import live as live_module
from console.web.pages.rendering.live import Live
from projector.migrations import migrate
from tests.console.web.browser import PASSWORD
from tests.console.web.conftest import asked_by_anybody
from tests.console.web.walk.seen import SeenBackend, statements_of_requests

pytestmark = pytest.mark.timeout(120)
PAGES = 50
_MOVE = "UPDATE consumers.checkpoints SET next_offset = next_offset + 1"


@pytest.fixture
def background() -> Background:
    return Background(CollectorRegistry())


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    migrate(database)
    with psycopg.connect(database, autocommit=True) as found:
        found.execute(
            "INSERT INTO consumers.checkpoints"
            " (consumer, partition, next_offset, log_sequence, topic_id, last_hash)"
            " VALUES ('projector', 0, 1, 1, 't', '')"
        )
        yield found


@pytest.fixture
def backend(connection: psycopg.Connection[Any], database: str) -> Iterator[SeenBackend]:
    ledger = Ledger(bootstrap="127.0.0.1:9", database_url=database, partition_count=1)
    found = SeenBackend(ledger)
    found.open()
    yield found
    found.close()


def once_broken(do: Callable[[], Any], times: int) -> Callable[..., Any]:
    """Fails some times as nobody expects, then does it."""
    left = [RuntimeError("nobody expected it")] * times

    def tried(*_: object) -> Any:
        if left:
            raise left.pop()
        return do()

    return tried


def test_publishing_goes_on_after_a_fault_and_tells_of_it(
    monkeypatch: pytest.MonkeyPatch, background: Background
) -> None:
    ended, told = threading.Event(), list[tuple[str, ...]]()

    def publish() -> None:
        told.append(background.failing)
        ended.set()

    monkeypatch.setattr(desk, "publish_approved", once_broken(publish, 2))
    backend: Any = None
    desk.keep_publishing(backend, ended, background, 0.0)
    assert told == [(PUBLISHING,)]
    assert background.failing == ()


def test_each_fault_makes_the_next_try_later(background: Background) -> None:
    waits = []
    for _ in range(6):
        waits.append(background.pause_seconds(LIVE, 0.25, 5.0))
        background.failed(LIVE, RuntimeError())
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0]
    background.did(LIVE)
    assert background.pause_seconds(LIVE, 0.25, 5.0) == 0.25


def test_a_task_that_fails_is_told_by_readiness_and_by_a_metric(
    connection: psycopg.Connection[Any], backend: SeenBackend
) -> None:
    with asked_by_anybody(backend.ledger) as client:
        assert client.get("/readyz").status_code == 200
        state: Any = client.app.state  # type: ignore[attr-defined]  # it is an application
        state.background.failed(PUBLISHING, RuntimeError("nobody expected it"))
        found = client.get("/readyz")
        assert (found.status_code, "publishing" in found.json()["detail"]) == (503, True)
        assert told_of(client, PUBLISHING) == ("1.0", "1.0")
        state.background.did(PUBLISHING)
        assert client.get("/readyz").status_code == 200
        assert told_of(client, PUBLISHING) == ("1.0", "0.0")


def told_of(client: TestClient, task: str) -> tuple[str, ...]:
    """The faults of a task that the metrics count, and whether it fails now."""
    lines = [line.split() for line in client.get("/metrics").text.splitlines()]
    values = {line[0]: line[1] for line in lines if line[0] != "#"}
    return tuple(
        values[f'refunds_console_task_{name}{{task="{task}"}}']
        for name in ("faults_total", "failing")
    )


async def next_of(stream: AsyncIterator[str], *names: str) -> str:
    """The name of the next event that is one of these."""
    async for told in stream:
        (name,) = (line[7:] for line in told.splitlines() if line.startswith("event: "))
        if name in names:
            return name
    return ""


def test_pages_are_told_of_a_fault_and_move_again(
    monkeypatch: pytest.MonkeyPatch, backend: SeenBackend, background: Background
) -> None:
    monkeypatch.setattr(live_module, "LOOK_SECONDS", 0.01)
    live = Live(backend, background)
    monkeypatch.setattr(live, "_look", once_broken(live._look, 1))

    async def listening() -> list[str]:
        running, stream = asyncio.create_task(live.run()), live.stream("", None)
        told = [await next_of(stream, "away", "moved") for _ in range(2)]
        running.cancel()
        return told

    assert asyncio.run(listening()) == ["away", "moved"]


def test_at_each_move_one_query_asks_for_the_sessions_of_all_pages(
    monkeypatch: pytest.MonkeyPatch,
    backend: SeenBackend,
    background: Background,
    connection: psycopg.Connection[Any],
) -> None:
    monkeypatch.setattr(live_module, "LOOK_SECONDS", 0.01)
    people.add(connection, "lena", PASSWORD, ["finance"])
    sessions = [people.new_session(connection, "lena") for _ in range(PAGES)]
    token = people.new_token(connection, "program", ["finance"], 1)
    marks = [*map(mark_of_session, sessions), mark_of_token(token)]
    marks += [Mark(kind="name", name="by a proxy"), marks[0]]
    live = Live(backend, background)

    async def listening(seen: list[Any]) -> tuple[int, list[str]]:
        running = asyncio.create_task(live.run())
        streams = [live.stream("", mark) for mark in marks]
        await asyncio.gather(*(next_of(each, "moved") for each in streams))
        seen.clear()
        people.sign_out(connection, sessions[1])
        connection.execute(_MOVE)
        told = await asyncio.gather(*(next_of(each, "moved", "ended") for each in streams))
        asked = sum("web.sessions" in text for text, _ in seen)
        running.cancel()
        return asked, told

    with statements_of_requests() as seen:
        asked, told = asyncio.run(listening(seen))
    assert asked == 1
    assert told == ["ended" if mark is marks[1] else "moved" for mark in marks]


def test_nobody_who_has_ended_is_still_there(connection: psycopg.Connection[Any]) -> None:
    people.add(connection, "lena", PASSWORD, ["finance"])
    sessions = [people.new_session(connection, "lena") for _ in range(3)]
    tokens = [people.new_token(connection, name, ["finance"], 1) for name in ("t-1", "t-2")]
    names = [Mark(kind="name", name=name) for name in ("lena", "unknown")]
    marks = [*map(mark_of_session, sessions), *map(mark_of_token, tokens), *names]
    assert people.still_there(connection, marks) == set(marks)
    idle = "UPDATE web.sessions SET used_at = now() - interval '61 minutes' WHERE id_digest = %s"
    connection.execute(idle, (marks[0].digest,))
    over = "UPDATE web.sessions SET ends_at = now() WHERE id_digest = %s"
    connection.execute(over, (marks[1].digest,))
    people.end(connection, "t-1")
    assert people.still_there(connection, marks) == {marks[2], marks[4], *names}
    connection.execute("UPDATE web.people SET ended_at = now()")
    assert people.still_there(connection, marks) == {marks[4], names[1]}
