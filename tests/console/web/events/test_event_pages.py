"""The pages of events: a search, an event with its proof, dead letters, and the brokers away."""

from __future__ import annotations

import re
from contextlib import closing
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from console.web.pages.events.fields import fields_of
from ledger.log.kafka import KafkaTools
from ledger.log.seam import Outgoing, Topic
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER
from tests.console.web.conftest import asked_by_anybody
from tests.console.web.serving import ledger_of
from tests.console.web.stories import TICKET, refunded
from tests.console.web.test_api import OPENING, give
from tests.console.web.test_away import NOBODY
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)


def first_link(text: str) -> str:
    """The first event of a search."""
    found = re.search(r'href="(/events/\d+/numbers/\d+)"', text)
    assert found is not None, text
    return found[1]


def test_a_search_leads_to_an_event_with_its_command_and_its_proof(client: TestClient) -> None:
    refund = refunded(client, "pages-1")
    asked = {"refund": refund["refund_id"], "event": "RefundIssued", "lang": "en"}
    told = client.get("/events", params=asked, headers=BROWSER)
    assert told.status_code == 200
    assert told.text.count("/events?account=pages-1&amp;command=") == 1
    event = client.get(first_link(told.text), headers=BROWSER)
    assert event.status_code == 200, event.text
    assert "<code>amount</code></th><td>1.00</td>" in event.text
    assert TICKET in event.text
    assert event.text.count("<td>yes</td>") == 3
    place = re.search(r'<a href="(/events/\d+/\d+)">Permanent address', event.text)
    assert place is not None
    again = client.get(place[1], headers=BROWSER)
    assert again.text.count("<td>yes</td>") == 3
    raw = client.get(f"/v1{place[1]}").json()
    assert raw["hash"] in again.text
    assert raw["value"][:32] == again.text.split("000000  ")[1][:47].replace(" ", "")


def test_what_an_id_is_made_of_does_not_matter(client: TestClient) -> None:
    odd = 'a/b?c="<script>&#%'
    give(client, quote(odd, safe=""), "OpenAccount", OPENING, "open")
    told = client.get("/events", params={"account": odd}, headers=BROWSER)
    assert told.status_code == 200
    assert "<script>" not in told.text
    event = client.get(first_link(told.text), headers=BROWSER)
    assert event.status_code == 200
    assert "<script>" not in event.text
    assert f"/accounts/{quote(odd, safe='')}" in event.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/events?account=nobody", 200),
        ("/events?account=a%00b", 400),
        ("/events?cursor=x", 400),
        ("/events/0/99999999", 404),
        ("/events/0/numbers/99999999", 404),
        ("/events/99/0", 404),
        ("/events/x/0", 400),
        ("/events/dead-letters/0/99999", 404),
    ],
)
def test_what_is_not_there_is_a_page(client: TestClient, path: str, status: int) -> None:
    found = client.get(path, headers=BROWSER)
    assert found.status_code == status, found.text
    assert 'href="/"' in found.text


def test_the_first_event_of_a_partition_is_shown_too(client: TestClient) -> None:
    told = client.get("/events/0/numbers/0", headers=BROWSER)
    assert told.status_code == 200, told.text
    assert "it is the first event of its partition" in told.text


def test_a_record_that_cannot_be_read_is_among_the_dead_letters(
    client: TestClient, live_ledger: RunningLedger
) -> None:
    record = Outgoing(topic=Topic.COMMANDS, partition=1, key=b"<b>", value=b"no command at all")
    with closing(KafkaTools(live_ledger.kafka)) as tools:
        (placed,) = tools.publish([record])
    source = f">1:{placed.offset}</a>"

    def listed() -> bool:
        return source in client.get("/events/dead-letters", headers=BROWSER).text

    wait_until(listed, "the dead letter")
    told = client.get("/events/dead-letters", headers=BROWSER).text
    (path,) = re.findall(rf'href="(/events/dead-letters/\d+/\d+)"{source}', told)
    letter = client.get(path, headers=BROWSER)
    assert letter.status_code == 200
    assert "no command at al" in letter.text
    assert "NOT_OURS" in letter.text
    assert "&lt;b&gt;" in letter.text


def test_without_brokers_an_event_shows_what_the_read_models_have(
    client: TestClient, live_ledger: RunningLedger
) -> None:
    give(client, "pages-2", "OpenAccount", OPENING, "open")
    told = client.get("/events", params={"account": "pages-2"}, headers=BROWSER)
    path = first_link(told.text)
    with asked_by_anybody(replace(ledger_of(live_ledger), bootstrap=NOBODY)) as away:
        found = away.get(path, headers=BROWSER)
        assert found.status_code == 503
        assert "The brokers do not answer" in found.text
        assert "<code>currency</code></th><td>CNY</td>" in found.text
        for other in ("/events/0/1", "/events/dead-letters"):
            answer = away.get(other, headers=BROWSER)
            assert answer.status_code == 503
            assert "no Kafka broker answers" in answer.text
        assert away.get("/events?account=pages-2", headers=BROWSER).status_code == 200


def test_fields_have_their_whole_names() -> None:
    value = {"a": {"b": "1.00"}, "c": [{"d": True}, 2], "e": [], "f": ""}
    assert fields_of(value) == [
        ("a.b", "1.00"),
        ("c[0].d", "true"),
        ("c[1]", "2"),
        ("e", ""),
        ("f", ""),
    ]
