"""Dead letters on the pages: listed as they came, and sent again once, by an operator."""

from __future__ import annotations

import re
import uuid
from contextlib import closing

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.web.access import people
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
    assert f'href="/work/letters/{letter.replace(":", "%3A")}"' in listed
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
