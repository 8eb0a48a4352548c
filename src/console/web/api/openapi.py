"""The OpenAPI document: what the routes say, and the schemas of bodies and answers."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from console.web.api.schemas.answers import ANSWERS
from console.web.api.schemas.bodies import AMOUNT, CURRENCY, schemas_of
from console.web.problems import PROBLEM
from ledger.vocabulary.commands import COMMANDS, ROLES
from ledger.vocabulary.shapes import Role
from ledger.vocabulary.words import words
from projector.questions import Column, Kind, Question

Document = dict[str, Any]
GIVEN_BY_PEOPLE = [name for name, kind in COMMANDS.items() if ROLES[kind] - {Role.SYSTEM}]
"""Commands that somebody outside gives; the system's own are no routes."""

_CELLS: dict[Kind, Document] = {
    Kind.TEXT: {"type": "string"},
    Kind.MONEY: {"type": "string"},
    Kind.INSTANT: {"type": "string", "format": "date-time"},
    Kind.DAY: {"type": "string", "format": "date"},
    Kind.SPAN: {"type": "integer"},
    Kind.NUMBER: {"type": "integer"},
    Kind.FLAG: {"type": "boolean"},
    Kind.TEXTS: {"type": "array", "items": {"type": "string"}},
    Kind.JSON: {},
}
_TAG = "Changes with the rows; none where they also change as time passes, or with the terms."
_VIOLATION = {
    "type": "object",
    "required": ["rule", "code", "message", "figures"],
    "properties": {
        "rule": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "figures": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_EVENT = {
    "type": "object",
    "required": ["event", "id"],
    "properties": {"event": {"type": "string"}, "id": {"type": "string"}},
}
_OUTCOME = {
    "type": "object",
    "required": ["command_id", "outcome"],
    "properties": {
        "command": {"type": ["string", "null"]},
        "command_id": {"type": "string"},
        "account": {"type": "string"},
        "outcome": {"type": "string", "enum": ["accepted", "refused", "pending", "waiting"]},
        "events": {"type": "array", "items": {"$ref": "#/components/schemas/EventName"}},
        "quote_id": {"type": ["string", "null"]},
        "quote_amount": {"type": ["string", "null"]},
        "quote_currency": {"type": ["string", "null"]},
        "violations": {"type": "array", "items": {"$ref": "#/components/schemas/Violation"}},
        "recorded_at": {"type": "string", "format": "date-time"},
        "partition": {"type": "integer"},
        "log_sequence": {"type": "integer"},
    },
}
_PROPOSAL = {
    "type": "object",
    "required": ["command", "command_id", "account", "outcome", "state", "reason", "proposed_by"],
    "properties": {
        "command": {"type": "string"},
        "command_id": {"type": "string"},
        "account": {"type": "string"},
        "outcome": {"type": "string", "enum": ["waiting", "pending", "declined", "expired"]},
        "state": {"type": "string", "enum": ["WAITING", "EXPIRED", "APPROVED", "DECLINED"]},
        "reason": {"type": "string"},
        "actor": {"type": "object", "additionalProperties": {"type": "string"}},
        "body": {"type": "object", "additionalProperties": True},
        "proposed_by": {"type": "string"},
        "proposed_at": {"type": "string", "format": "date-time"},
        "waits_until": {"type": "string", "format": "date-time"},
        "decided_by": {"type": ["string", "null"]},
        "decided_at": {"type": ["string", "null"], "format": "date-time"},
        "published_at": {"type": ["string", "null"], "format": "date-time"},
        "at": {"type": "string"},
    },
}
_PROPOSALS = {
    "type": "object",
    "required": ["proposals", "next"],
    "properties": {
        "proposals": {"type": "array", "items": {"$ref": "#/components/schemas/Proposal"}},
        "next": {"type": ["string", "null"]},
    },
}
_CLOCK = {
    "type": "object",
    "required": ["sandbox_at"],
    "properties": {"sandbox_at": {"type": ["string", "null"], "format": "date-time"}},
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "violations": {"type": "array", "items": {"$ref": "#/components/schemas/Violation"}},
        "faults": {
            "type": "array",
            "items": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "command_id": {"type": "string"},
    },
}


def problem_answers(**said: str) -> dict[int | str, Document]:
    """`s404="..."` → the answers that are problems, for a route's `responses`."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        int(name[1:]): {"description": text, "content": {PROBLEM: {"schema": schema}}}
        for name, text in said.items()
    }


EVERYWHERE = problem_answers(
    s400="The request cannot be read, or not answered.",
    s401="Nobody is signed in.",
    s403="Who is signed in may not.",
    s404="There is no such thing.",
    s413="The body is too long.",
    s503="The database or the brokers do not answer.",
)


def json_answer(name: str, description: str) -> Document:
    """An answer with one of the schemas."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def rows_answer(question: Question) -> Document:
    """The answer of a query, in its three formats."""
    row = {
        "type": "object",
        "properties": {column.name: _cell(column) for column in question.columns},
    }
    page = {
        "type": "object",
        "required": ["rows", "next"],
        "properties": {
            "rows": {"type": "array", "items": row},
            "next": {"type": ["string", "null"]},
        },
    }
    return {
        "description": question.about[:1].upper() + question.about[1:],
        "headers": {
            "Link": {"description": "The next page.", "schema": {"type": "string"}},
            "ETag": {"description": _TAG, "schema": {"type": "string"}},
        },
        "content": {
            "application/json": {"schema": page},
            "application/jsonl": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }


def _cell(column: Column) -> Document:
    schema = _CELLS[column.kind]
    return {**schema, "type": [schema["type"], "null"]} if schema else {}


def body_of(name: str) -> Document:
    """The request body of a command, with its example."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    example = {"summary": words()["commands"][name], "value": examples()[name]}
    content = {"schema": schema, "examples": {name: example}}
    return {"required": True, "content": {"application/json": content}}


@cache
def examples() -> dict[str, Document]:
    """A body of each command."""
    text = resources.files(__package__).joinpath("examples.json").read_text(encoding="utf-8")
    found: dict[str, Document] = json.loads(text)
    return found


def describe(app: FastAPI) -> None:
    """Let the application serve this document."""

    @cache
    def document() -> Document:
        found = get_openapi(
            title="Refund ledger",
            version=app.version,
            openapi_version="3.1.0",
            routes=app.routes,
            summary="Commands in, outcomes and read models out.",
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        for methods in found["paths"].values():
            for operation in methods.values():
                _without_foreign_answer(operation)
        components = found.setdefault("components", {})
        theirs = components.get("schemas", {})
        own = {name: theirs[name] for name in theirs if "ValidationError" not in name}
        components["schemas"] = own | _schemas()
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
        return found

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI's manual asks for


def _without_foreign_answer(operation: Document) -> None:
    """Fields that cannot be read are a 400 here, never FastAPI's own 422."""
    answer = operation["responses"].get("422", {})
    if "HTTPValidationError" in json.dumps(answer):
        del operation["responses"]["422"]


def _schemas() -> Document:
    found: Document = {
        "Amount": AMOUNT,
        "Clock": _CLOCK,
        "Currency": CURRENCY,
        "EventName": _EVENT,
        "Outcome": _OUTCOME,
        "Problem": _PROBLEM,
        "Proposal": _PROPOSAL,
        "Proposals": _PROPOSALS,
        "Violation": _VIOLATION,
        **ANSWERS,
    }
    for name in GIVEN_BY_PEOPLE:
        found |= schemas_of(COMMANDS[name])
    return found
