"""The OpenAPI document: a route for each command, bodies as they are read, and its page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from console.web.api.openapi import GIVEN_BY_PEOPLE, examples
from console.web.api.schemas.bodies import AMOUNT, CURRENCY, schemas_of
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.validation import body_problems
from ledger.wire.json.mapping import read_command_body
from tests.console.web.browser import BROWSER
from tests.console.web.test_api import OPENING, give

pytestmark = pytest.mark.timeout(300)


def validator(name: str) -> Draft202012Validator:
    """Judges a body of a command by its schema alone."""
    schemas = schemas_of(COMMANDS[name]) | {"Amount": AMOUNT, "Currency": CURRENCY}
    reference = {"$ref": f"#/components/schemas/{name}"}
    return Draft202012Validator({**reference, "components": {"schemas": schemas}})


def readable(name: str, body: object) -> bool:
    """Whether the program reads it, for an account in yuan."""
    return read_command_body(COMMANDS[name], body, "CNY")[0] is not None


@pytest.mark.parametrize("name", GIVEN_BY_PEOPLE)
def test_the_example_of_each_command_fits_its_schema_and_is_read(name: str) -> None:
    assert list(validator(name).iter_errors(examples()[name])) == []
    read, _ = read_command_body(COMMANDS[name], examples()[name], "CNY")
    assert read is not None
    assert not body_problems(read)


@pytest.mark.parametrize("name", GIVEN_BY_PEOPLE)
def test_schema_and_reader_refuse_the_same_bodies(name: str) -> None:
    good = examples()[name]
    for field in good:
        less = {key: value for key, value in good.items() if key != field}
        assert validator(name).is_valid(less) == readable(name, less), field
        assert not validator(name).is_valid(good | {field: 1.5}), field
        assert not readable(name, good | {field: 1.5}), field
    assert not validator(name).is_valid(good | {"unheard_of": 1})
    assert not readable(name, good | {"unheard_of": 1})


def test_every_command_that_is_given_from_outside_has_a_route_and_no_other(
    client: TestClient,
) -> None:
    document = client.get("/v1/openapi.json").json()
    begins = "/v1/accounts/{account_id}/commands/"
    posts = {path for path, methods in document["paths"].items() if "post" in methods}
    assert {path.removeprefix(begins) for path in posts if path.startswith(begins)} == set(
        GIVEN_BY_PEOPLE
    )
    assert "ExpireInstance" not in GIVEN_BY_PEOPLE
    found = give(client, "a-1", "ExpireInstance", {"instance_id": "i-1"}, "k")
    assert found.status_code == 405


def test_every_reference_of_the_document_leads_somewhere(client: TestClient) -> None:
    document = client.get("/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    named = set(re.findall(r"#/components/schemas/(\w+)", client.get("/v1/openapi.json").text))
    assert named <= set(schemas)
    assert document["openapi"] == "3.1.0"
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def faults_of(client: TestClient, name: str, told: object) -> list[Any]:
    """What of an answer is not as the document's schema of that name says."""
    schemas: dict[str, Any] = client.get("/v1/openapi.json").json()["components"]["schemas"]
    whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    return list(Draft202012Validator(whole).iter_errors(told))


def test_an_outcome_has_the_fields_of_the_document(client: TestClient) -> None:
    schemas: dict[str, Any] = client.get("/v1/openapi.json").json()["components"]["schemas"]
    told = give(client, "doc-1", "OpenAccount", OPENING, "open").json()
    assert faults_of(client, "Outcome", told) == []
    assert set(told) == set(schemas["Outcome"]["properties"])


def test_the_page_shows_every_route_without_scripts_and_other_hosts(client: TestClient) -> None:
    page = client.get("/v1/docs", headers=BROWSER)
    assert page.status_code == 200
    for path in client.get("/v1/openapi.json").json()["paths"]:
        assert f"{path}</code>" in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert not re.search(r'(?:src|href)="(?!/|#)', page.text)
