"""Batches: each line is answered, a fault stops no other line, and nothing is published twice."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

from console.web.api import batches
from console.web.desk import Answered
from ledger.wire.json.lines import json_lines_of
from tests.console.web.test_api import OPENING

pytestmark = pytest.mark.timeout(300)


def line(account: str, command_id: str, name: str, body: dict[str, Any], **more: Any) -> str:
    """A line of billing."""
    told = {"account": account, "id": command_id, "command": name, "body": body}
    return json.dumps({"actor": {"id": "billing", "role": "BILLING"}, **told, **more})


def send(client: TestClient, *lines: str, **headers: str) -> list[dict[str, Any]]:
    """The answers, by line."""
    found = client.post("/v1/batches", content="\n".join(lines).encode(), headers=headers)
    assert found.status_code == 200
    assert found.headers["Content-Type"].startswith("application/jsonl")
    return [json.loads(each) for each in found.text.splitlines()]


def test_each_line_has_its_own_outcome(client: TestClient) -> None:
    term = {"term_id": "t-1", "starts_on": "2026-01-01", "ends_on": "2027-01-01", "amount": "5.00"}
    found = send(
        client,
        line("batch-1", "a", "OpenAccount", {**OPENING, "account_type": "EA"}),
        line("batch-1", "b", "OpenCommitmentTerm", term),
        "no JSON",
        line("batch-1", "c", "OpenAccount", OPENING),
        line("batch-1", "d", "OpenCommitmentTerm", {**term, "amount": 5}),
        line("batch-1", "e", "RestoreInstance", {"instance_id": "i"}, actor="nobody"),
    )
    assert [each["line"] for each in found] == [1, 2, 3, 4, 5, 6]
    assert [each["status"] for each in found] == [200, 200, 400, 409, 400, 400]
    assert found[0]["events"][0]["event"] == "AccountOpened"
    assert found[3]["violations"][0]["code"] == "ALREADY_EXISTS"
    assert found[4]["faults"][0]["field"] == "body.amount"


def test_a_line_is_answered_in_the_language_that_the_header_asks_for(client: TestClient) -> None:
    lines = (
        line("zh-batch", "a", "ChangeCard", {"card_id": "card-1"}),
        line("zh-batch", "b", "OpenAccount", {**OPENING, "currency": 5}),
        line("zh-batch", "c", "OpenAccount", OPENING, at="2026-01-05T08:00:00Z"),
    )
    english = send(client, *lines)
    chinese = send(client, *lines, **{"Accept-Language": "zh"})
    assert [each["status"] for each in chinese] == [each["status"] for each in english]
    assert english[0]["violations"][0]["message"].startswith("no account zh-batch in this account")
    assert chinese[0]["violations"][0]["message"].startswith("该账户中没有账户 zh-batch")
    assert chinese[0]["violations"][0]["figures"] == english[0]["violations"][0]["figures"]
    told = [each["faults"][0]["expected"] for each in english[1:]]
    assert told == [
        "an ISO 4217 currency code",
        "nothing: only a sandbox takes instants from a file",
    ]
    told = [each["faults"][0]["expected"] for each in chinese[1:]]
    assert told == ["ISO 4217 币种代码", "不填：只有沙盒从文件中读取时刻"]


def test_half_a_character_in_a_name_is_a_fault_of_its_line_alone(client: TestClient) -> None:
    whole = line("half-1", "a", "OpenAccount", OPENING)
    odd = line("half-1", "b", "OpenAccount", {**OPENING, "\ud800": 1})
    found = send(client, odd, whole)
    assert [each["status"] for each in found] == [400, 200]
    assert "\ud800" in found[0]["faults"][0]["field"]
    answer = client.post(
        "/v1/accounts/half-1/commands/ChangeCard",
        content=b'{"card_id": "card-1", "\\ud800": 1}',
        headers={"Idempotency-Key": "c", "Refunds-Actor": "BILLING:billing"},
    )
    assert answer.status_code == 400


def test_a_fault_of_ours_stops_only_the_lines_tried_with_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LINES_AT_ONCE", 1)
    lines = [line(f"fault-{number}", "open", "OpenAccount", OPENING) for number in range(3)]
    monkeypatch.setattr(batches, "status_of", lambda answered: 200 // fault_at_second(answered))
    found = send(client, *lines)
    assert [each["status"] for each in found] == [200, 503, 200]
    assert found[1]["command_id"] == "open"
    assert "send this line again as it is" in found[1]["detail"]
    monkeypatch.undo()
    assert [each["status"] for each in send(client, *lines)] == [200] * 3


def fault_at_second(answered: Answered) -> int:
    """Zero for the second account."""
    assert answered.outcome is not None
    return int(answered.outcome.account_id != "fault-1")


def test_more_lines_than_are_in_memory_and_the_same_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LINES_AT_ONCE", 3)
    lines = [line(f"many-{number}", "open", "OpenAccount", OPENING) for number in range(8)]
    first, again = send(client, *lines), send(client, *lines)
    assert [each["status"] for each in first] == [200] * 8
    assert again == first
    other = line("many-0", "open", "OpenAccount", {**OPENING, "currency": "USD"})
    (conflict,) = send(client, other)
    assert conflict["status"] == 409
    assert conflict["first_outcome"]["events"] == first[0]["events"]


def test_one_id_twice_in_a_batch_with_other_content_is_a_conflict(client: TestClient) -> None:
    found = send(
        client,
        line("twice", "open", "OpenAccount", OPENING),
        line("twice", "open", "OpenAccount", {**OPENING, "currency": "USD"}),
        line("twice", "open", "OpenAccount", OPENING),
    )
    assert [each["status"] for each in found] == [200, 409, 200]


def test_what_only_a_command_file_may_have_is_a_fault(client: TestClient) -> None:
    system = {"id": "keeper", "role": "SYSTEM"}
    expire = line("a", "b", "ExpireInstance", {"instance_id": "i", "order_id": "o"}, actor=system)
    quoted = {"id": "u-1", "role": "OWNER"}
    found = send(
        client,
        expire,
        line("a", "c", "OpenAccount", OPENING, at="2026-01-05T08:00:00Z"),
        line("a", "q", "QuoteInstanceReturn", {"instance_id": "i"}, actor=quoted),
        line(
            "a",
            "d",
            "ReturnInstance",
            {"instance_id": "i", "quote_id": {"quote_of": "q"}, "acknowledged": True},
            actor=quoted,
        ),
    )
    assert [each["status"] for each in found] == [400, 400, 422, 400]


def test_a_batch_that_is_too_long_is_not_begun(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_BYTES", 100)
    content = (line("long-1", "open", "OpenAccount", OPENING) + "\n").encode()
    assert client.post("/v1/batches", content=content).status_code == 413
    assert client.get("/v1/accounts/long-1/commands/open").status_code == 404


def test_of_long_lines_few_are_taken_at_once() -> None:
    """What a line says takes many times its room when it is read."""
    file = BytesIO(b'{"a": [%s]}\n' % b",".join([b"[]"] * 200_000) * 4 + b"{}\n" * 150)
    lines = json_lines_of(file)
    taken = []
    while some := batches.taken_at_once(lines, file):
        taken.append([each.number for each in some])
    assert [len(each) for each in taken] == [2, 2, 100, 50]
    assert [number for each in taken for number in each] == list(range(1, 155))
