"""Commands by HTTP are answered with their outcome, and queries with their rows."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Client, Response

from console.web.api.cursors import link_to_next
from ledger.values.instants import parse_instant
from projector.asking.queries import Moment

pytestmark = pytest.mark.timeout(300)

OPENING = {"account_type": "ONLINE", "us_government": False, "currency": "CNY"}


def give(
    client: Client,
    account: str,
    name: str,
    body: dict[str, Any],
    key: str,
    actor: str = "BILLING:billing",
    **headers: str,
) -> Response:
    """One command."""
    told = {"Idempotency-Key": key, "Refunds-Actor": actor, **headers}
    return client.post(f"/v1/accounts/{account}/commands/{name}", json=body, headers=told)


def test_an_accepted_command_is_answered_with_its_events(client: TestClient) -> None:
    found = give(client, "web-1", "OpenAccount", OPENING, "open")
    assert found.status_code == 200
    assert found.json()["outcome"] == "accepted"
    assert [each["event"] for each in found.json()["events"]] == ["AccountOpened"]
    again = client.get(found.headers["Location"])
    assert again.json() == found.json()
    (row,) = client.get("/v1/accounts", params={"account": "web-1"}).json()["rows"]
    assert (row["account_type"], row["currency"]) == ("ONLINE", "CNY")


def test_a_repeat_with_the_same_key_gets_the_first_outcome(client: TestClient) -> None:
    first = give(client, "web-2", "OpenAccount", OPENING, "open")
    again = give(client, "web-2", "OpenAccount", OPENING, "open")
    assert again.json() == first.json()
    events = client.get("/v1/events", params={"account": "web-2"}).json()["rows"]
    assert len(events) == 1


def test_a_key_with_other_content_is_a_conflict_with_the_first_outcome(client: TestClient) -> None:
    first = give(client, "web-3", "OpenAccount", OPENING, "open")
    other = give(client, "web-3", "OpenAccount", OPENING | {"currency": "USD"}, "open")
    assert other.status_code == 409
    assert other.headers["Content-Type"] == "application/problem+json"
    assert other.json()["first_outcome"] == first.json()


def test_a_refusal_names_every_rule_with_its_figures(client: TestClient) -> None:
    give(client, "web-4", "OpenAccount", OPENING, "open")
    body = {"instance_id": "i-9", "acknowledged": True}
    found = give(client, "web-4", "ReturnInstance", body, "return", "OWNER:u-1")
    assert found.status_code == 422
    (violation,) = found.json()["violations"]
    assert violation["code"] == "NOT_FOUND"
    assert violation["figures"] == {"instance": "i-9"}


def test_fields_that_cannot_be_taken_are_named_and_nothing_is_published(
    client: TestClient,
) -> None:
    found = give(client, "web-5", "OpenAccount", {"account_type": "ONLIN", "currenzy": "X"}, "open")
    assert found.status_code == 400
    faults = {each["field"] for each in found.json()["faults"]}
    assert {"account_type", "currenzy", "us_government"} <= faults
    assert client.get("/v1/accounts/web-5/commands/open").status_code == 404


def test_a_field_that_cannot_be_taken_is_told_as_the_header_asks(client: TestClient) -> None:
    body = {**OPENING, "account_type": "ONLIN"}
    english = give(client, "web-6", "OpenAccount", body, "open").json()
    asked = {"Accept-Language": "zh-CN"}
    chinese = give(client, "web-6", "OpenAccount", body, "open", **asked).json()
    (fault,), (told,) = english["faults"], chinese["faults"]
    assert fault["expected"].startswith("one of ONLINE, ")
    assert told == fault | {"expected": told["expected"]}
    assert told["expected"].startswith("下列之一：ONLINE, ")
    assert told["expected"].endswith("；是否为 'ONLINE'？")
    assert chinese["detail"] == "请求中有 1 个字段不被接受；未执行任何操作"


def test_the_same_rows_as_lines_and_as_a_table(client: TestClient) -> None:
    give(client, "web-6", "OpenAccount", OPENING, "open")
    asked = {"account": "web-6", "columns": "account_id,currency"}
    lines = client.get("/v1/accounts", headers={"Accept": "application/jsonl"}, params=asked).text
    assert json.loads(lines) == {"account_id": "web-6", "currency": "CNY"}
    table = client.get("/v1/accounts", headers={"Accept": "text/csv"}, params=asked).text
    assert list(csv.reader(table.splitlines())) == [["account_id", "currency"], ["web-6", "CNY"]]


def test_links_lead_through_all_pages_in_the_order_of_the_list(client: TestClient) -> None:
    for number in range(5):
        give(client, f"page-{number}", "OpenAccount", OPENING, "open")
    lines = client.get("/v1/events", headers={"Accept": "application/jsonl"}).text.splitlines()
    url: str | None = "/v1/events?limit=2"
    found: list[dict[str, Any]] = []
    while url:
        page = client.get(url)
        found += page.json()["rows"]
        assert ("next" in page.links) == (page.json()["next"] is not None)
        url = page.links.get("next", {}).get("url")
    assert len(found) >= 5
    assert found == [json.loads(line) for line in lines]
    assert found == sorted(found, key=lambda row: (row["account_id"], row["sequence"]))


@pytest.mark.parametrize(
    "cursor", ["", "x", "bm9uZQ", "WyJldmVudHMiXQ", "WyJldmVudHMiLCJcdTAwMDAiXQ", "W1tb" * 900]
)
def test_a_cursor_of_another_list_is_not_taken(client: TestClient, cursor: str) -> None:
    found = client.get("/v1/events", params={"cursor": cursor})
    assert found.status_code == 400
    assert found.headers["Content-Type"] == "application/problem+json"


def test_pages_of_the_past_stay_in_the_same_past() -> None:
    at = Moment(
        as_of=parse_instant("2026-01-05T08:00:00Z"), known_at=parse_instant("2026-02-01T00:00:00Z")
    )
    link = link_to_next("/v1/balances", {"as_of": "2026-01-05T08:00:00+00:00"}, at, "x")
    assert link == (
        "</v1/balances?as_of=2026-01-05T08%3A00%3A00Z&cursor=x&known_at=2026-02-01T00%3A00%3A00Z>;"
        ' rel="next"'
    )


def test_an_answer_that_did_not_change_is_not_sent_again(client: TestClient) -> None:
    give(client, "web-7", "OpenAccount", OPENING, "open")
    first = client.get("/v1/balances")
    same = client.get("/v1/balances", headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    give(client, "web-8", "OpenAccount", OPENING, "open")
    other = client.get("/v1/balances", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_one_of_several_tags_and_a_weak_one_are_known_again(client: TestClient) -> None:
    tag = client.get("/v1/balances").headers["ETag"]
    for told in (f'"another", {tag}', f"W/{tag}"):
        assert client.get("/v1/balances", headers={"If-None-Match": told}).status_code == 304


def test_what_changes_as_time_passes_has_no_tag_at_present(client: TestClient) -> None:
    tag = client.get("/v1/balances").headers["ETag"]
    found = client.get("/v1/recycle-bin", headers={"If-None-Match": tag})
    assert (found.status_code, "ETag" in found.headers) == (200, False)


def test_no_cache_takes_the_answer_to_one_for_that_to_another(client: TestClient) -> None:
    for path in ("/v1/balances", "/lists/balances", "/static/style.css", "/no/such"):
        varied = {each.strip() for each in client.get(path).headers["Vary"].split(",")}
        assert {"Accept", "Accept-Language", "Authorization", "Cookie"} <= varied, path
    assert client.get("/v1/balances").headers["Cache-Control"] == "no-store"


def test_a_file_of_the_pages_is_kept_and_asked_about(client: TestClient) -> None:
    first = client.get("/static/style.css")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get("/static/style.css", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_what_may_be_done_and_an_unknown_account(client: TestClient) -> None:
    give(client, "web-9", "OpenAccount", OPENING, "open")
    assert client.get("/v1/accounts/web-9/eligibility").json()["things"] == []
    unknown = client.get("/v1/accounts/nobody/eligibility")
    assert unknown.status_code == 404
    assert "nobody" in unknown.json()["detail"]


def test_it_lives_and_is_ready(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
