"""Pages move by themselves: what the stream tells, when it ends, and what a page waits for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psycopg
import pytest
from fastapi.testclient import TestClient

from console.web.access import people
from console.web.access.guard import LIVE, SESSION_COOKIE
from console.web.application import application
from console.web.backend import Backend
from console.web.pages.rendering.environment import STATIC, TEMPLATES, Look, environment
from console.web.pages.rendering.here import Here
from console.web.pages.rendering.live import Live
from console.web.pages.rendering.standing import STALE_SECONDS, Standing
from ledger.values.instants import SECOND
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER, PASSWORD, sign_in
from tests.console.web.serving import ledger_of, served
from tests.console.web.test_api import OPENING, give
from tests.console.web.test_proxy import BY_SECRET, proxy
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)


@contextmanager
def listening(
    url: str, seen: str, headers: dict[str, str] | None = None
) -> Iterator[Iterator[tuple[str, str]]]:
    """The events of a stream, with their data."""
    with (
        httpx2.Client(base_url=url, timeout=60, headers=headers) as client,
        client.stream("GET", "/live", params={"seen": seen}) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field.startswith("data"):
            yield name, value


def places(page: str) -> str:
    """Where a page says that it stands."""
    found = re.search(r'data-places="([^"]+)"', page)
    assert found is not None
    return found[1]


def moved(told: Iterator[tuple[str, str]]) -> str:
    """The places of the next move."""
    return next(data for name, data in told if name == "moved")


def test_a_page_is_told_when_the_read_models_move(client: TestClient, url: str) -> None:
    give(client, "live-1", "OpenAccount", OPENING, "open")
    seen = places(client.get("/lists/accounts", headers=BROWSER).text)
    with listening(url, seen) as told:
        assert next(told)[0] == "reached"
        give(client, "live-2", "OpenAccount", OPENING, "open")
        assert moved(told) != seen
    assert "live-2" in client.get("/lists/accounts", headers=BROWSER).text


def test_a_page_that_is_old_already_is_told_at_once(client: TestClient, url: str) -> None:
    give(client, "live-3", "OpenAccount", OPENING, "open")
    with listening(url, "0:0 1:0") as told:
        assert moved(told) != "0:0 1:0"


def headers_of(url: str, database_url: str, kind: str, name: str) -> dict[str, str]:
    """Those of somebody who signed in, of a program, or of whom a proxy names."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        if kind == "name":
            return BY_SECRET | {"X-User": name}
        if kind == "token":
            return {"Authorization": f"Bearer {people.new_token(connection, name, ['finance'], 1)}"}
        people.add(connection, name, PASSWORD, ["finance"])
    with httpx2.Client(base_url=url) as browser:
        sign_in(browser, name)
        return {"Cookie": f"{SESSION_COOKIE}={browser.cookies[SESSION_COOKIE]}"}


@pytest.mark.parametrize("kind", ["session", "token", "name"])
def test_a_stream_ends_with_its_session(
    live_ledger: RunningLedger, client: TestClient, tmp_path: Path, kind: str
) -> None:
    database_url, name = live_ledger.database_url, f"lisa by {kind}"
    app = application(Backend(ledger_of(live_ledger)), proxy=proxy(tmp_path))
    with served(app) as url:
        headers = headers_of(url, database_url, kind, name)
        with listening(url, "", headers) as told:
            assert next(told)[0] != "ended"
            with psycopg.connect(database_url, autocommit=True) as connection:
                people.end(connection, name)
            give(client, f"live-4-{kind}", "OpenAccount", OPENING, "open")
            assert "ended" in [name for name, _ in told]


def test_a_server_that_stops_waits_for_no_stream(live_ledger: RunningLedger) -> None:
    app = application(Backend(ledger_of(live_ledger)), everything_open=True)
    with httpx2.Client(timeout=60) as client:
        with served(app) as url:
            answer = client.send(client.build_request("GET", f"{url}/live?seen="), stream=True)
            told = _events(answer.iter_lines())
            next(told)
        assert "ended" not in [name for name, _ in told]


def test_a_page_that_is_closed_leaves_its_place(live_ledger: RunningLedger) -> None:
    app = application(Backend(ledger_of(live_ledger)), everything_open=True)
    live: Live = app.state.live
    with served(app) as url:
        with listening(url, "") as told:
            next(told)
            assert live.listening == 1
        wait_until(lambda: live.listening == 0, "the end of the stream")


def test_too_many_streams_are_refused(live_ledger: RunningLedger) -> None:
    backend = Backend(ledger_of(live_ledger))
    app = application(backend, everything_open=True)
    app.state.live = Live(backend, app.state.background, most=0)
    with served(app) as url:
        found = httpx2.get(f"{url}/live?seen=")
    assert found.status_code == 503
    assert "too many pages" in found.json()["detail"]


def test_what_a_page_asks_by_itself_does_not_keep_a_session(
    locked: TestClient, live_ledger: RunningLedger
) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "lars", PASSWORD, ["finance"])
        sign_in(locked, "lars")
        asked = "SELECT used_at FROM web.sessions WHERE name = 'lars'"
        before = connection.execute(asked).fetchone()
        assert locked.get("/", headers=BROWSER | {LIVE: "1"}).status_code == 200
        assert connection.execute(asked).fetchone() == before
        assert locked.get("/", headers=BROWSER).status_code == 200
        assert connection.execute(asked).fetchone() != before
    locked.cookies.clear()


def test_a_page_waits_for_a_command_and_says_if_it_is_not_there(client: TestClient) -> None:
    give(client, "live-5", "OpenAccount", OPENING, "open")
    shown = client.get("/accounts/live-5", params={"after": "open"}, headers=BROWSER).text
    assert "not shown here yet" not in shown
    missing = client.get("/accounts/live-5", params={"after": "other"}, headers=BROWSER).text
    assert "not shown here yet" in missing
    assert "<code>other</code>" in missing


@pytest.mark.parametrize(
    ("reached", "stale", "told"),
    [
        (1_000 * SECOND, False, "Complete up to"),
        ((1_000 - STALE_SECONDS - 1) * SECOND, True, "(16 s)"),
        (None, True, "Nobody knows"),
    ],
)
def test_a_page_says_how_far_it_is_behind(reached: int | None, stale: bool, told: str) -> None:
    stands = Standing(places={0: 7}, reached=reached, present=1_000 * SECOND, sandbox=False)
    assert stands.stale is stale
    page = (
        environment("en", Look())
        .get_template("base.html")
        .render(
            here=Here(path="/", query={}),
            caller=None,
            standing=stands,
            waits_for=None,
            language="en",
            theme="auto",
        )
    )
    assert told in page
    assert "<code>0:7</code>" in page


def test_what_is_vendored_is_what_was_published() -> None:
    told = (STATIC / "vendored" / "README.md").read_text("utf-8")
    for path in (STATIC / "vendored").glob("*.js"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in told
    assert (STATIC / "vendored" / "htmx-LICENSE").is_file()


def test_no_page_asks_another_host_and_none_has_code_in_it() -> None:
    for path in [*TEMPLATES.rglob("*.html"), STATIC / "style.css", STATIC / "console.js"]:
        text = path.read_text("utf-8")
        assert not re.search(r"https?://|src=\"//", text), path
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*src=)|\son\w+=", text), path
