"""Events are found by what they name, and one is proven by hashes that can be redone by hand."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from tests.console.web.stories import TICKET, holding, refunded
from tests.console.web.test_api import give

pytestmark = pytest.mark.timeout(300)


def found(client: TestClient, **sought: str) -> list[dict[str, Any]]:
    """The rows of a search."""
    answer = client.get("/v1/events/search", params=sought)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def test_events_are_found_by_all_that_they_name(client: TestClient) -> None:
    refund = refunded(client, "search-1")
    refunded(client, "search-2")
    own = found(client, account="search-1")
    assert {each["account_id"] for each in own} == {"search-1"}
    assert [each["recorded_at"] for each in own] == sorted(
        (each["recorded_at"] for each in own), reverse=True
    )
    by_command = found(client, command="RefundMarketplaceManually-search-1")
    assert "RefundIssued" in {each["event_name"] for each in by_command}
    story = found(client, correlation="RefundMarketplaceManually-search-1")
    assert {each["event_id"] for each in by_command} < {each["event_id"] for each in story}
    about = found(client, refund=refund["refund_id"])
    assert {each["account_id"] for each in about} == {"search-1"}
    assert "RefundIssued" in {each["event_name"] for each in about}
    (opened,) = found(client, event="AccountOpened", account="search-2")
    assert opened["event_name"] == "AccountOpened"
    assert found(client, command="nothing of the kind") == []
    assert found(client)[0]["account_id"] in {"search-1", "search-2"}


def test_a_search_comes_in_pages_that_leave_nothing_out(client: TestClient) -> None:
    refunded(client, "search-3")
    whole = found(client, account="search-3")
    pages: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(len(whole)):
        asked = {"account": "search-3", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/events/search", params=asked).json()
        pages += page["rows"]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(whole) > 2
    assert pages == whole


@pytest.mark.parametrize("cursor", ["x", "", "WyJldmVudC1zZWFyY2giLCAiYSIsICJiIiwgImMiXQ"])
def test_a_cursor_of_something_else_is_not_taken(client: TestClient, cursor: str) -> None:
    asked = {"account": "a", "cursor": cursor}
    assert client.get("/v1/events/search", params=asked).status_code == 400


def test_the_proof_of_an_event_can_be_redone_by_hand(client: TestClient) -> None:
    refund = refunded(client, "proof-1")
    row = next(
        each
        for each in found(client, refund=refund["refund_id"])
        if each["event_name"] == "RefundIssued"
    )
    path = f"/v1/events/{row['partition']}"
    told = client.get(f"{path}/numbers/{row['log_sequence']}").json()
    assert told["event"]["id"] == row["event_id"]
    assert told == client.get(f"{path}/{told['offset']}").json()
    assert {each["holds"] for each in told["checks"]} == {True}, told["checks"]
    value = client.get(f"{path}/{told['offset']}/value").content
    assert value.hex() == told["value"]
    own = hashlib.sha256(value.removeprefix(bytes.fromhex(told["schema"]["frame"]))).hexdigest()
    assert own == told["hash"] == told["checks"][1]["found"] == told["checks"][1]["said"]
    digest = hashlib.sha256(told["command"]["digested"].encode()).hexdigest()
    assert digest == told["event"]["meta"]["command_digest"]
    assert told["command"]["meta"]["command_id"] == "RefundMarketplaceManually-proof-1"
    assert told["command"]["body"]["ticket"] == TICKET
    before = client.get(f"{path}/numbers/{row['log_sequence'] - 1}").json()
    assert before["hash"] == told["event"]["meta"]["prev_hash"]
    schema = client.get("/v1/schemas/events/RefundIssued/{}".format(told["schema"]["version"]))
    assert schema.json()["name"] == "RefundIssued"


def test_answers_have_the_fields_of_the_document(client: TestClient) -> None:
    refund = refunded(client, "answers-1")
    schemas = client.get("/v1/openapi.json").json()["components"]["schemas"]
    account = "/v1/accounts/answers-1"
    (event, *_) = found(client, account="answers-1")
    number = f"/v1/events/{event['partition']}/numbers/{event['log_sequence']}"
    for name, path in {
        "FoundEvents": "/v1/events/search?account=answers-1",
        "RecordedEvent": number,
        "Eligibility": f"{account}/eligibility",
        "Explanation": f"{account}/explanations/{refund['refund_id']}",
        "Refund": f"{account}/refunds/{refund['refund_id']}",
    }.items():
        judge = Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        )
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        assert list(judge.iter_errors(answer.json())) == [], name


def test_a_quote_has_its_working_and_its_end(client: TestClient) -> None:
    holding(client, "quote-1")
    asked = {"reservation_id": "r-1", "usd_rate": "1"}
    outcome = give(client, "quote-1", "QuoteReservationRefund", asked, "ask", "OWNER:u-1").json()
    told = client.get(f"/v1/accounts/quote-1/quotes/{outcome['quote_id']}").json()
    assert told["amount"] == outcome["quote_amount"]
    assert told["command_id"] == "ask"
    assert told["expires_at"] > told["quoted_at"]
    assert told["working"]
    schemas = client.get("/v1/openapi.json").json()["components"]["schemas"]
    judge = Draft202012Validator(
        {"$ref": "#/components/schemas/Quote", "components": {"schemas": schemas}}
    )
    assert list(judge.iter_errors(told)) == []
    why = client.get("/v1/accounts/quote-1/explanations/ask").json()
    assert why["working"] == told["working"]


def test_a_refund_has_its_steps_and_its_explanation(client: TestClient) -> None:
    refund = refunded(client, "steps-1")
    account = "/v1/accounts/steps-1"
    told = client.get(f"{account}/refunds/{refund['refund_id']}").json()
    assert told["amount"] == refund["amount"] == "1.00"
    assert told["steps"][0]["event_name"] == "RefundIssued"
    why = client.get(f"{account}/explanations/{refund['refund_id']}").json()
    assert why["verdict"] == "accepted"
    assert "manual_refund" in [each["rule"] for each in why["rules"]]
    assert TICKET in json.dumps(why["working"])


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events/0/999999999",
        "/v1/events/77/0",
        "/v1/events/0/numbers/999999999",
        "/v1/events/0/9223372036854775807",
        "/v1/schemas/events/Nothing/1",
        "/v1/schemas/events/../1",
        "/v1/schemas/events/RefundIssued/9999",
        "/v1/accounts/nobody/refunds/r",
        "/v1/accounts/nobody/quotes/q",
        "/v1/accounts/nobody/explanations/x",
    ],
)
def test_what_is_not_there_is_a_404(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404, answer.text
    assert answer.headers["Content-Type"] in {"application/problem+json", "application/json"}


def test_an_id_of_another_kind_is_a_400(client: TestClient) -> None:
    for path in ("/v1/events/a/1", "/v1/events/0/-1", "/v1/schemas/poems/RefundIssued/1"):
        assert client.get(path).status_code == 400, path
    assert client.get("/v1/events/search", params={"account": "a\0b"}).status_code == 400
