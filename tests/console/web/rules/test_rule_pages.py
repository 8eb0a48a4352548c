"""The rulebook on pages: numbers in force and before, and what another number would change."""

from __future__ import annotations

from decimal import Decimal

import pytest
from fastapi.testclient import TestClient

from console.explaining.what_if import with_number
from console.terminal.errors import BadInput
from ledger.rulebook import RULES
from ledger.rulebook.numbers import numbers
from ledger.terms.table import released_terms
from tests.console.web.stories import holding
from tests.console.web.test_openapi import faults_of

pytestmark = pytest.mark.timeout(300)
BROWSER = {"Accept": "text/html", "Accept-Language": "en"}


def test_every_rule_is_listed_with_its_numbers_in_force(client: TestClient) -> None:
    told = client.get("/rules", headers=BROWSER)
    assert told.status_code == 200
    for name in RULES:
        assert f'<a href="/rules/{name}">' in told.text
    cap = numbers(RULES["refund_cap"], released_terms().versions[-1])["cap_usd"]
    assert str(cap) in told.text


@pytest.mark.parametrize("name", list(RULES))
def test_each_rule_has_a_page(client: TestClient, name: str) -> None:
    told = client.get(f"/rules/{name}", headers=BROWSER)
    assert told.status_code == 200, told.text
    assert told.text.count('class="status status-active"') == bool(RULES[name].terms)


def test_the_numbers_of_every_version_are_there_and_one_is_in_force(client: TestClient) -> None:
    told = client.get("/rules/refund_cap", params={"as_of": "2020-01-01T00:00:00Z"}).text
    for terms in released_terms().versions:
        assert f'<th scope="row">{terms.version}' in told
    first = released_terms().at(0)
    (row,) = [each for each in told.split("<tr") if 'aria-current="true"><th' in each]
    assert f'<th scope="row">{first.version}' in row


@pytest.fixture(scope="module")
def holder(client: TestClient) -> str:
    """An account with a reservation that began today."""
    holding(client, "if-1")
    return "if-1"


def test_another_number_changes_what_an_act_would_bring(client: TestClient, holder: str) -> None:
    asked = {"account": holder, "number": "termination_fee", "value": "0.10"}
    told = client.get("/rules/termination_fee", params=asked, headers=BROWSER)
    assert told.status_code == 200, told.text
    assert "What would be judged otherwise" in told.text
    (row,) = [each for each in told.text.split("<tr>") if "after a fee of" in each]
    assert "RefundReservation" in row or "Refund" in row
    same = asked | {"value": "0"}
    told = client.get("/rules/termination_fee", params=same, headers=BROWSER)
    assert "Nothing would be judged otherwise." in told.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"account": "nobody", "number": "cap_usd", "value": "1.00"}, "account nobody"),
        ({"account": "if-1", "number": "cap_usd", "value": "many"}, "cap_usd is &#39;many&#39;"),
        ({"account": "a", "number": "swaps", "value": "1"}, "swaps"),
        ({"account": "a", "number": "cap_usd", "value": ""}, "write the other number"),
        ({"as_of": "yesterday"}, "as_of"),
    ],
)
def test_what_cannot_be_tried_is_said_and_kept(
    client: TestClient, holder: str, asked: dict[str, str], said: str
) -> None:
    told = client.get("/rules/refund_cap", params=asked, headers=BROWSER)
    assert told.status_code == 400
    assert said in told.text
    if asked.get("value"):
        assert f'value="{asked["value"]}"' in told.text


def test_the_api_has_every_rule_with_its_numbers_in_force(client: TestClient) -> None:
    told = client.get("/v1/rules").json()
    assert faults_of(client, "Rules", told) == []
    assert [each["rule"] for each in told["rules"]] == list(RULES)
    (cap,) = [each for each in told["rules"] if each["rule"] == "refund_cap"]
    in_force = numbers(RULES["refund_cap"], released_terms().versions[-1])
    assert cap["numbers"]["cap_usd"] == in_force["cap_usd"]
    assert client.get("/v1/rules", params={"as_of": "yesterday"}).status_code == 400


@pytest.mark.parametrize("name", list(RULES))
def test_the_api_has_the_numbers_of_every_version(client: TestClient, name: str) -> None:
    told = client.get(f"/v1/rules/{name}", params={"as_of": "1970-01-01T00:00:00Z"}).json()
    assert faults_of(client, "Rule", told) == []
    versions = {each["version"]: each["in_force"] for each in told["versions"]}
    assert list(versions) == [each.version for each in released_terms().versions[::-1]]
    first = released_terms().at(0).version
    assert [version for version, in_force in versions.items() if in_force] == [first]
    assert told["terms"] == first


def test_the_api_tries_another_number_as_the_page_does(client: TestClient, holder: str) -> None:
    path = "/v1/rules/termination_fee/what-if"
    asked = {"account": holder, "number": "termination_fee", "value": "0.10"}
    told = client.get(path, params=asked).json()
    assert faults_of(client, "WhatIf", told) == []
    assert any("after a fee of" in each["then"]["brings"] for each in told["changed"])
    assert told["compared"] > 0
    assert client.get(path, params=asked | {"value": "0"}).json()["changed"] == []


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("/v1/rules/nothing", {}, 404),
        ("/v1/rules/nothing/what-if", {"account": "a", "number": "n", "value": "1"}, 404),
        ("/v1/rules/refund_cap/what-if", {}, 400),
        ("/v1/rules/refund_cap/what-if", {"account": "a", "number": "swaps", "value": "1"}, 400),
        ("/v1/rules/refund_cap/what-if", {"account": "no", "number": "cap_usd", "value": "1"}, 404),
    ],
)
def test_the_api_says_what_it_cannot_try(
    client: TestClient, path: str, asked: dict[str, str], status: int
) -> None:
    found = client.get(path, params=asked)
    assert (found.status_code, found.json()["status"]) == (status, status)


def test_there_is_no_other_rule(client: TestClient) -> None:
    for path in ("/rules/nothing", "/rules/%3Cscript%3E"):
        found = client.get(path, headers=BROWSER)
        assert found.status_code == 404, path
        assert "<script>" not in found.text


def test_a_number_is_read_as_a_file_of_terms_reads_it() -> None:
    table = released_terms()
    other = with_number(table, 10, "cap_usd", "12.50").at(10)
    assert Decimal(other.cap_usd) / 100 == Decimal("12.50")
    assert with_number(table, 10, "review_days", "6").at(10).review_days == 6
    assert with_number(table, 10, "cap_basis", "COMMITMENT").at(10).cap_basis == "COMMITMENT"
    assert table.at(10).version == with_number(table, 10, "review_days", "6").at(9).version
    for name, text in {
        "cap_usd": "many",
        "review_days": "-1",
        "promotion_fee": "1.5",
        "time_zone": "Moon/Base\x00",
        "cap_basis": '"\n[x]',
    }.items():
        with pytest.raises(BadInput, match=name):
            with_number(table, 10, name, text)
