"""`POST /v1/accounts/ACCOUNT/commands/NAME`: one command, answered with its outcome."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from console.web.access.guard import Caller, caller_of
from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.desk import OtherContent, give
from console.web.problems import FieldFault, Problem, problem_response
from ledger.values.instants import format_instant
from ledger.vocabulary.commands import COMMANDS, Command, OpenAccount
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.shapes import Actor, Role
from ledger.vocabulary.validation import problems_of
from ledger.wire.json.mapping import read_command_body
from projector.asking.outcomes import Outcome, outcome

router = APIRouter(prefix="/v1/accounts/{account_id}/commands", tags=["commands"])
_MAY_NAME_ANY_ACTOR = frozenset({"gateway", "operator"})
PATIENCE_SECONDS, MOST_PATIENCE_SECONDS = 5.0, 60.0


@router.post("/{name}")
async def given_command(
    account_id: str,
    name: str,
    request: Request,
    backend: Asked,
    idempotency_key: Annotated[str, Header(description="The command's id.")],
    refunds_actor: Annotated[
        str | None, Header(description="For programs: who acts, ROLE:ID, as OWNER:u-1.")
    ] = None,
    prefer: Annotated[str | None, Header(description="wait=SECONDS.")] = None,
) -> JSONResponse:
    """Publish one command and answer with its outcome.

    200: accepted. 409: refused because of the state, or the id was used with other content. 422:
    refused by a rule. 202: published, and not decided within the time that `Prefer: wait` asks for;
    `Location` says where to ask.
    """
    from starlette.concurrency import run_in_threadpool

    raw = await request.body()
    meta = CommandMeta(
        command_id=idempotency_key,
        account_id=account_id,
        actor=_actor(caller_of(request), refunds_actor),
    )
    return await run_in_threadpool(_answered, backend, name, raw, meta, _patience(prefer))


@router.get("/{command_id}")
def known_outcome(account_id: str, command_id: str, backend: Asked) -> JSONResponse:
    """What came of a command, by its id; 404 while nothing is known of it."""
    with backend.connection() as connection:
        found = outcome(connection, account_id, command_id)
    if not found:
        raise Problem(
            404,
            "Not found",
            f"nothing is known of command {command_id} of account {account_id}; if it was "
            "published just now, ask again",
        )
    return JSONResponse(outcome_to_json(found[0]))


def _answered(
    backend: Backend, name: str, raw: bytes, meta: CommandMeta, patience_seconds: float
) -> JSONResponse:
    given = _read(backend, name, raw, meta)
    try:
        answered = give(backend, given, patience_seconds)
    except OtherContent as error:
        document = {"first_outcome": outcome_to_json(error.first)}
        return problem_response(Problem(409, "The id is taken", str(error), **document))
    where = f"/v1/accounts/{meta.account_id}/commands/{meta.command_id}"
    if answered.outcome is None:
        told = {"outcome": "pending", "command_id": meta.command_id}
        return JSONResponse(told, 202, headers={"Location": where})
    if answered.outcome.refused:
        return problem_response(refused(answered.outcome))
    return JSONResponse(outcome_to_json(answered.outcome), headers={"Location": where})


def refused(found: Outcome) -> Problem:
    """Why a command was refused: every violated rule with its figures and its sentence."""
    codes = {each.code.value for each in found.violations}
    of_state = codes & {"WRONG_STATE", "ALREADY_EXISTS", "NOT_PENDING", "COMMAND_ID_REUSED"}
    return Problem(
        409 if of_state else 422,
        "Refused",
        "; ".join(each.message for each in found.violations),
        **outcome_to_json(found),
    )


def outcome_to_json(found: Outcome) -> dict[str, Any]:
    """An outcome as one JSON object."""
    return {
        "command": found.command_type,
        "command_id": found.command_id,
        "account": found.account_id,
        "outcome": "refused" if found.refused else "accepted",
        "events": [
            {"event": name, "id": event_id}
            for name, event_id in zip(found.event_names, found.event_ids, strict=True)
        ],
        "quote_id": found.quote_id,
        "violations": msgspec.to_builtins(found.violations),
        "recorded_at": format_instant(found.recorded_at),
        "partition": found.partition,
        "log_sequence": found.log_sequence,
    }


def _read(backend: Backend, name: str, raw: bytes, meta: CommandMeta) -> GivenCommand:
    kind = COMMANDS.get(name)
    if kind is None:
        raise Problem(404, "Not found", f"there is no command {name!r}; see /v1/openapi.json")
    try:
        told = json.loads(raw or b"{}")
    except ValueError as error:
        raise Problem(400, "The request cannot be read", f"the body is no JSON: {error}") from error
    body, wrong = read_command_body(kind, told, _currency(backend, kind, meta.account_id))
    faults = [
        {"field": each.path, "found": each.value, "expected": each.expected} for each in wrong
    ]
    if body is None:
        raise FieldFault(faults)
    meta = msgspec.structs.replace(meta, sandbox_at=backend.sandbox_at())
    given = GivenCommand(meta=meta, body=body)
    faults = [
        {"field": each.path, "found": each.value, "expected": each.expected}
        for each in problems_of(given)
    ]
    if faults:
        raise FieldFault(faults)
    return given


def _currency(backend: Backend, kind: type[Command], account_id: str) -> str | None:
    if kind is OpenAccount:
        return None
    with backend.connection() as connection:
        row = connection.execute(
            "SELECT currency FROM finance.accounts WHERE account_id = %s", (account_id,)
        ).fetchone()
    return None if row is None else str(row[0])


def _actor(caller: Caller, text: str | None) -> Actor:
    """A program says for whom it acts; a person of support acts as such, under the own name."""
    if not caller.principals & _MAY_NAME_ANY_ACTOR:
        if text is not None:
            raise Problem(403, "Not allowed", "only a program names an actor; leave it out")
        return Actor(id=caller.name, role=Role.SUPPORT)
    role, _, name = (text or "").partition(":")
    roles = [each.value for each in Role if each is not Role.SYSTEM]
    if role not in roles or not name:
        raise FieldFault(
            [
                {
                    "field": "Refunds-Actor",
                    "found": (text or "nothing")[:60],
                    "expected": f"ROLE:ID with one of {', '.join(roles)}",
                }
            ]
        )
    return Actor(id=name, role=Role(role))


def _patience(prefer: str | None) -> float:
    for word in (prefer or "").split(","):
        name, _, value = word.strip().partition("=")
        if name == "wait" and value.isdecimal():
            return min(float(value), MOST_PATIENCE_SECONDS)
    return PATIENCE_SECONDS
