"""Dead letters on the pages: listed as they came, and sent again once, by an operator."""

from __future__ import annotations

import re
import uuid
from contextlib import closing
from html import unescape
from urllib.parse import unquote

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.web.access import people
from console.web.api.cursors import cursor_of
from console.web.pages.work import newest_letters
from consumers.dead_letters.status import letter_statuses
from ledger.log.kafka import KafkaTools
from ledger.log.seam import Outgoing, Topic
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def letter(live_ledger: RunningLedger) -> str:
    """The name of a new dead letter."""
    key = f"acct-{uuid.uuid4().hex[:8]}".encode()
    with closing(KafkaTools(live_ledger.kafka)) as tools:
        (at,) = tools.publish(
            [Outgoing(topic=Topic.COMMANDS, partition=0, key=key, value=b"no command", headers=())]
        )
        name = f"0:{at.offset}"
        wait_until(
            lambda: name in {str(place) for place in letter_statuses(tools)}, f"the letter {name}"
        )
    return name


@pytest.fixture
def roles(live_ledger: RunningLedger) -> dict[str, dict[str, str]]:
    """Role → the headers of somebody who has it."""
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        return {
            role: BROWSER
            | {"Authorization": f"Bearer {people.new_token(connection, f'{role}-2', [role], 1)}"}
            for role in ("finance", "support", "operator")
        }


def test_a_letter_stands_with_its_reason_and_its_bytes(
    locked: TestClient, letter: str, roles: dict[str, dict[str, str]]
) -> None:
    listed = locked.get("/work/letters", headers=roles["finance"]).text
    assert f'href="/work/letters/{letter.replace(":", "%3A")}?at=' in listed
    told = locked.get(f"/work/letters/{letter}", headers=roles["finance"]).text
    there = re.search(r'href="(/events/dead-letters/[^"]+)"', told)
    assert there is not None
    bytes_told = locked.get(there[1], headers=roles["finance"]).text
    assert b"no".hex(" ") in bytes_told
    assert "cannot be read" in told
    assert "takes an operator" in told


def test_an_operator_sends_it_again_once_and_a_second_click_is_told_so(
    locked: TestClient,
    live_ledger: RunningLedger,
    letter: str,
    roles: dict[str, dict[str, str]],
) -> None:
    form = {"letter": letter, "reason": "mended"}
    refused = locked.post("/work/letters/redrive", data=form, headers=roles["support"])
    assert refused.status_code == 403
    first = locked.post("/work/letters/redrive", data=form, headers=roles["operator"])
    assert first.status_code == 200, first.text
    assert f"Letter {letter} was sent again" in first.text
    second = locked.post("/work/letters/redrive", data=form, headers=roles["operator"])
    assert f"Letter {letter} was closed before" in second.text
    with closing(KafkaTools(live_ledger.kafka)) as tools:
        found = {str(place): each for place, each in letter_statuses(tools).items()}
    resolution = found[letter].resolution
    assert resolution is not None
    assert (resolution.actor, resolution.reason) == ("operator-2", "mended")
    assert f">{letter}<" not in locked.get("/work/letters", headers=roles["operator"]).text
    closed = locked.get("/work/letters?closed=yes", headers=roles["operator"]).text
    assert f">{letter}<" in closed


def test_a_letter_that_somebody_has_is_not_sent_by_another(
    locked: TestClient, letter: str, roles: dict[str, dict[str, str]]
) -> None:
    taken = {"kind": "LETTER", "id": letter}
    found = locked.post("/work/take", data=taken, headers=roles["support"], follow_redirects=False)
    assert (found.status_code, found.headers["Location"]) == (303, "/work/letters")
    told = locked.post("/work/letters/redrive", data={"letter": letter}, headers=roles["operator"])
    assert told.status_code == 409
    assert "support-2 has it already" in told.text
    assert "support-2" in locked.get(f"/work/letters/{letter}", headers=roles["finance"]).text


@pytest.mark.parametrize("name", ["9:9", "a%2Fb%3F%23", "%E6%AD%BB%20%E4%BF%A1"])
def test_a_letter_that_is_not_there_is_a_page_with_a_way_back(
    locked: TestClient, roles: dict[str, dict[str, str]], name: str
) -> None:
    found = locked.get(f"/work/letters/{name}", headers=roles["operator"])
    assert found.status_code == 404
    assert '<a href="/">' in found.text
    again = locked.post("/work/letters/redrive", data={"letter": name}, headers=roles["operator"])
    assert again.status_code == 404


def walked(client: TestClient, headers: dict[str, str], path: str) -> list[tuple[str, str]]:
    """The links to all letters, page by page, each with what became of it."""
    found: list[tuple[str, str]] = []
    while path:
        page = client.get(path, headers=headers).text
        rows = re.findall(r'<th scope="row"><a href="([^"]+)">.*?</tr>', page, re.DOTALL)
        became = re.findall(r"<td>([^<]*)</td>\n<td>[^<]*</td>\n</tr>", page)
        found += zip(rows, became, strict=True)
        (path,) = map(unescape, re.findall(r'rel="next" href="([^"]+)"', page)[:1] or [""])
    return found


def test_the_newest_stand_first_and_links_lead_to_all_others(
    locked: TestClient,
    live_ledger: RunningLedger,
    letter: str,
    roles: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(KafkaTools(live_ledger.kafka)) as tools:
        key = letter.encode()
        bad = [
            Outgoing(topic=Topic.COMMANDS, partition=n % 2, key=key, value=b"no", headers=())
            for n in range(20)
        ]
        names = {f"{each.partition}:{each.offset}" for each in tools.publish(bad)}
        wait_until(lambda: names <= {str(place) for place in letter_statuses(tools)}, "the letters")
        before, told = len(letter_statuses(tools)), {"letter": letter, "reason": "mended"}
        sent = locked.post("/work/letters/redrive", data=told, headers=roles["operator"])
        assert sent.status_code == 200
        wait_until(lambda: len(letter_statuses(tools)) > before, "the letter of the copy")
        statuses = letter_statuses(tools)
    monkeypatch.setattr(newest_letters, "ENOUGH", 4)
    monkeypatch.setattr(newest_letters, "ROUNDS", 2)
    first = locked.get("/work/letters", headers=roles["finance"]).text
    assert re.search(r"At least [1-8] letters\.", first)
    assert first.count('<th scope="row">') <= 8
    links = {f"/work/letters/{place}?at={each.letter_offset}" for place, each in statuses.items()}
    every = walked(locked, roles["finance"], "/work/letters?closed=yes")
    assert sorted(unquote(link) for link, _ in every) == sorted(links)
    became = {unquote(link).partition("?")[0][14:]: state for link, state in every}
    assert became[letter] == "REDRIVEN by operator-2"
    still = {str(place) for place, each in statuses.items() if each.resolution is None}
    assert {name for name, state in became.items() if state == "open"} == still
    opened = walked(locked, roles["finance"], "/work/letters")
    assert {unquote(link).partition("?")[0][14:] for link, _ in opened} == still
    for link, _ in every[-3:]:
        assert locked.get(link, headers=roles["finance"]).status_code == 200


def test_of_one_far_back_it_is_not_known_whether_it_is_closed(
    locked: TestClient,
    live_ledger: RunningLedger,
    letter: str,
    roles: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(KafkaTools(live_ledger.kafka)) as tools:
        bad = Outgoing(topic=Topic.COMMANDS, partition=0, key=b"", value=b"no", headers=())
        last = f"0:{tools.publish([bad] * 8)[-1].offset}"
        wait_until(lambda: last in map(str, letter_statuses(tools)), f"the letter {last}")
        (at,) = [
            each.letter_offset
            for place, each in letter_statuses(tools).items()
            if str(place) == letter
        ]
    monkeypatch.setattr(newest_letters, "ENOUGH", 4)
    monkeypatch.setattr(newest_letters, "ROUNDS", 1)
    monkeypatch.setattr(newest_letters, "MOST_AHEAD", 1)
    became = [state for _, state in walked(locked, roles["finance"], "/work/letters")]
    assert set(became[:2]) == {"open"}
    assert became[-1] == "not known here"
    found = locked.get(f"/work/letters/{letter}", params={"at": at}, headers=roles["finance"])
    assert "<dd>not known here</dd>" in found.text
    whole = locked.get(f"/work/letters/{letter}", headers=roles["finance"]).text
    assert "<dd>open</dd>" in whole


def test_without_older_ones_the_count_is_that_of_all(
    locked: TestClient, live_ledger: RunningLedger, letter: str, roles: dict[str, dict[str, str]]
) -> None:
    with closing(KafkaTools(live_ledger.kafka)) as tools:
        still = [each for each in letter_statuses(tools).values() if each.resolution is None]
    told = locked.get("/work/letters", headers=roles["finance"]).text
    assert f"<p>{len(still)} letters.</p>" in told


@pytest.mark.parametrize(
    "cursor", ["x", cursor_of("letters", ("1",)), cursor_of("letters", ("a", "-1"))]
)
def test_a_cursor_of_no_page_is_refused(
    locked: TestClient, roles: dict[str, dict[str, str]], cursor: str
) -> None:
    found = locked.get("/work/letters", params={"cursor": cursor}, headers=roles["finance"])
    assert found.status_code == 400
