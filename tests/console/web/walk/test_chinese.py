"""No Chinese page of a ledger with many stories tells an event, or a violated rule, in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.rendering.reports.eligibility import brings_told, conditions_told
from console.rendering.sentences.events import sentence
from ledger.rulebook import RULES
from ledger.vocabulary.envelope import RecordedEvent
from projector.asking.histories import history
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

CHINESE = {**BROWSER, "Accept-Language": "zh-CN"}
VIOLATED = re.compile(r'<ul class="violations">.*?</ul>', re.DOTALL)
NAME_OF_A_FIGURE = re.compile(r"<dt>(.*?)</dt>")
RECORDED = re.compile(r'<pre class="json">.*?</pre>|<code class="json">.*?</code>', re.DOTALL)
"""An event as it was recorded."""
TAGS = re.compile(r"<[^>]*>")


@pytest.fixture(scope="module")
def told(storied: RunningLedger) -> dict[str, tuple[RecordedEvent, ...]]:
    """Account → its events."""
    with psycopg.connect(storied.database_url, autocommit=True) as connection:
        accounts = connection.execute("SELECT account_id FROM finance.accounts").fetchall()
        return {each: history(connection, each).events for (each,) in accounts}


def violations_in(events: tuple[RecordedEvent, ...]) -> Iterator[Any]:
    """Every violated rule that was recorded."""
    for event in events:
        yield from getattr(event.body, "violations", ())


def chinese(pages: TestClient, address: str) -> str:
    """A Chinese page."""
    answer = pages.get(address, headers=CHINESE)
    assert answer.status_code == 200, (address, answer.text)
    assert '<html lang="zh-Hans"' in answer.text
    return str(answer.text)


def words_of(page: str) -> str:
    """The words of a page."""
    return unescape(TAGS.sub("", RECORDED.sub("", page)))


def figures_of(page: str) -> list[str]:
    """The names of the figures of its violated rules."""
    return [name for each in VIOLATED.findall(page) for name in NAME_OF_A_FIGURE.findall(each)]


def pages_of(account_id: str, events: tuple[RecordedEvent, ...]) -> Iterator[str]:
    """The pages about an account: itself, its events, its refunds, its refused acts."""
    account = f"/accounts/{quote(account_id, safe='')}"
    yield from (account, f"{account}/events", f"{account}/things")
    yield f"/lists/refusals?account={quote(account_id)}"
    refunds = {str(getattr(event.body, "refund_id", "")) for event in events} - {""}
    yield from (f"/refunds/{quote(each)}?account={quote(account_id)}" for each in sorted(refunds))
    for event in events:
        if event.name == "CommandRefused":
            command, name = event.meta.causation_id, getattr(event.body, "command_type", "")
            yield f"{account}/acts/{name}?done={quote(command)}"
        yield f"/events/{event.meta.source_partition}/numbers/{event.meta.log_sequence}"


def test_no_chinese_page_tells_an_event_or_a_violated_rule_in_english(
    pages: TestClient, told: dict[str, tuple[RecordedEvent, ...]]
) -> None:
    english = {sentence(event.body) for events in told.values() for event in events}
    english |= {each.message for events in told.values() for each in violations_in(events)}
    english |= {rule.says for rule in RULES.values()}
    english |= (acts := {each for account in told for each in of_acts(pages, account)} - {""})
    assert len(english) > 100
    assert len(acts) > 50
    looked, figures = 0, set[str]()
    for address in ("/rules", *(f"/rules/{name}" for name in RULES)):
        told_of_it = words_of(chinese(pages, address))
        assert not [each for each in english if each in told_of_it], address
    for account, events in told.items():
        for address in pages_of(account, events):
            page = chinese(pages, address)
            text = words_of(page)
            assert not [each for each in english if each in text], address
            figures |= set(figures_of(page))
            looked += 1
    assert looked > 100
    assert len(figures) > 5
    assert not [each for each in figures if re.search(r"[A-Za-z]{2,}", each)]


def of_acts(pages: TestClient, account_id: str) -> Iterator[str]:
    """What is said of all that could be done with what the account has: what it brings, what is to
    be given, every reason why it may not be done.
    """
    address = f"/v1/accounts/{quote(account_id, safe='')}/eligibility"
    found = pages.get(address, params={"usd_rate": "1"}).json()
    for thing in found.get("things", ()):
        for act in thing["acts"]:
            yield from (each["message"] for each in act["violations"])
            if act["may"]:
                yield from (brings_told(act), *conditions_told(act))


def test_the_api_says_a_reason_as_its_header_asks(pages: TestClient) -> None:
    given = {"Idempotency-Key": "unknown-1", "Refunds-Actor": "OWNER:u-1"}
    address = "/v1/accounts/nobody/commands/QuoteInstanceReturn"
    body = {"instance_id": "i-1"}
    english = pages.post(address, json=body, headers=given).json()
    chinese = pages.post(address, json=body, headers={**given, "Accept-Language": "zh"}).json()
    assert english["detail"] == english["violations"][0]["message"]
    assert english["detail"].startswith("no account nobody in this account")
    assert chinese["detail"].startswith("该账户中没有账户 nobody")
    assert chinese["violations"] == [english["violations"][0] | {"message": chinese["detail"]}]
    assert (
        pages.get("/v1/accounts/nobody/commands/unknown-1").json()["violations"]
        == (english["violations"])
    )
