"""A route for each command, `POST /v1/accounts/ACCOUNT/commands/NAME`, answered by its outcome."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse
from msgspec import Struct
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool

from console.rendering.reports.reasons import in_words
from console.rendering.sentences.saying import ENGLISH, Saying
from console.web.access.guard import Caller, Own, caller_of
from console.web.access.own_things import is_own_command, own_actor, see_own_command
from console.web.api.openapi import GIVEN_BY_PEOPLE, body_of, json_answer, problem_answers
from console.web.api.queries import Asked
from console.web.approving.proposals import Proposal
from console.web.backend import Backend
from console.web.desk import Answered, give
from console.web.problems import Fault, FieldFault, Problem, problem_response, saying_for
from ledger.log.seam import LogUnavailable
from ledger.values.instants import format_instant, from_datetime
from ledger.values.money import format_minor
from ledger.values.wording import seen, worded
from ledger.vocabulary.commands import COMMANDS, Command, OpenAccount
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.shapes import Actor, Role
from ledger.vocabulary.validation import MAX_TEXT, problems_of
from ledger.vocabulary.validation import Problem as ValueProblem
from ledger.vocabulary.words import words
from ledger.wire.json.mapping import FieldProblem, read_command_body, value_to_json
from projector.asking.outcomes import Outcome, outcome

router = APIRouter(prefix="/v1/accounts/{account_id}/commands", tags=["commands"])
MAY_NAME_ANY_ACTOR = frozenset({"gateway", "operator"})
PATIENCE_SECONDS, MOST_PATIENCE_SECONDS = 5.0, 60.0
UNANSWERED = (LogUnavailable, OperationalError, PoolTimeout)
"""The brokers or the database do not answer."""
_OF_STATE = frozenset({"WRONG_STATE", "ALREADY_EXISTS", "NOT_PENDING", "COMMAND_ID_REUSED"})


AccountId = Annotated[str, Path(description="The account.", min_length=1, max_length=MAX_TEXT)]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: json_answer("Outcome", "It was accepted; these are its events."),
    202: json_answer("Outcome", "It was published; `Location` says where to ask for its outcome."),
    **problem_answers(
        s409="Refused because of the state, or the id was used before with other content.",
        s422="Refused by rules: every violated one, with its figures.",
    ),
}
_DESCRIPTION = (
    "Publishes one command and answers with its outcome. A repeat with the same `Idempotency-Key` "
    "gets the first outcome."
)


def add_routes() -> None:
    """A route for each command."""
    for name in GIVEN_BY_PEOPLE:
        router.add_api_route(
            f"/{name}",
            _route(name),
            methods=["POST"],
            name=name,
            operation_id=name,
            summary=words()["commands"][name],
            description=_DESCRIPTION,
            response_class=JSONResponse,
            responses=ANSWERS,
            openapi_extra={"requestBody": body_of(name)},
        )


def _route(name: str) -> Any:
    async def given_command(
        account_id: AccountId,
        request: Request,
        backend: Asked,
        _own: Own,
        idempotency_key: Annotated[
            str, Header(description="The command's id.", min_length=1, max_length=MAX_TEXT)
        ],
        refunds_actor: Annotated[
            str | None, Header(description="For programs: who acts, ROLE:ID, as OWNER:u-1.")
        ] = None,
        prefer: Annotated[
            str | None, Header(description="wait=SECONDS, at most 60; 5 without it.")
        ] = None,
    ) -> JSONResponse:
        asked = _Asked(
            name=name,
            raw=await request.body(),
            account_id=account_id,
            command_id=idempotency_key,
            caller=caller_of(request),
            actor=refunds_actor,
        )
        patience, say = patience_of(prefer), saying_for(request)
        return await run_in_threadpool(_answered, backend, asked, patience, say)

    return given_command


@router.get("/{command_id}", responses={200: json_answer("Outcome", "What came of it.")})
def known_outcome(
    account_id: AccountId, command_id: str, request: Request, backend: Asked, own: Own
) -> JSONResponse:
    """What came of a command, by its id; 404 while nothing is known of it."""
    with backend.connection() as connection:
        see_own_command(connection, own, account_id, command_id)
        found = outcome(connection, account_id, command_id)
    if not found:
        raise Problem(
            404,
            "Not found",
            f"nothing is known of command {command_id} of account {account_id}; if it was "
            "published just now, ask again",
        )
    return JSONResponse(outcome_to_json(found[0], saying_for(request)))


class _Asked(Struct, frozen=True, kw_only=True):
    """A command as it came."""

    name: str
    raw: bytes
    account_id: str
    command_id: str
    caller: Caller
    actor: str | None


def _answered(
    backend: Backend, asked: _Asked, patience_seconds: float, say: Saying
) -> JSONResponse:
    given = _read(backend, asked)
    meta = given.meta
    where = place_of_command(meta.account_id, meta.command_id)
    try:
        answered = give(backend, given, patience_seconds, by=asked.caller.giver)
    except UNANSWERED as error:
        raise Problem(
            503,
            "Not known yet",
            f"the database or the brokers do not answer; look at {where} later, or send the same "
            "command again with the same id: it is decided once",
            command_id=meta.command_id,
        ) from error
    if answered.other and not _may_see(backend, asked):
        raise _taken(meta.command_id)
    return answer_of(answered, meta.command_id, where, say)


def _may_see(backend: Backend, asked: _Asked) -> bool:
    """Whether what came of the command that had the id before is for who gives it again."""
    own = asked.caller.own
    with backend.connection() as connection:
        return is_own_command(connection, own, asked.account_id, asked.command_id)


def place_of_command(account_id: str, command_id: str) -> str:
    """Where to ask for the outcome of a command."""
    return f"/v1/accounts/{_part(account_id)}/commands/{_part(command_id)}"


def answer_of(answered: Answered, command_id: str, where: str, say: Saying) -> JSONResponse:
    """What came of a command, as an answer; `where` it can be asked for."""
    headers, status = {"Location": where}, status_of(answered)
    if answered.proposal is not None:
        return _waiting(answered.proposal, other=answered.other)
    if answered.outcome is None:
        told = {"outcome": "pending", "command_id": command_id}
        return JSONResponse(told, status, headers=headers)
    document = outcome_to_json(answered.outcome, say)
    if answered.other:
        return problem_response(_taken(command_id, first_outcome=document))
    if status == 200:
        return JSONResponse(document, headers=headers)
    said = say.clauses(each["message"] for each in document["violations"])
    return problem_response(Problem(status, "Refused", said, **document))


def _taken(command_id: str, **more: object) -> Problem:
    said = f"command id {command_id} was given before with other content; give another id"
    return Problem(409, "The id is taken", said, **more)


def _part(value: str) -> str:
    """A value as one part of a path."""
    return quote(value, safe="")


def _waiting(proposal: Proposal, *, other: bool) -> JSONResponse:
    told, command_id = proposal_to_json(proposal), proposal.command_id
    if other:
        said = f"command id {command_id} was proposed before with other content; give another id"
        return problem_response(Problem(409, "The id is taken", said, proposal=told))
    if proposal.state in {"DECLINED", "EXPIRED"}:
        said = f"nobody approved command {command_id}: {proposal.reason}; give it under another id"
        return problem_response(Problem(409, "Not approved", said, proposal=told))
    return JSONResponse(told, 202, headers={"Location": told["at"]})


def proposal_to_json(found: Proposal) -> dict[str, Any]:
    """A proposal as one JSON object."""
    return {
        "command": found.command_name,
        "command_id": found.command_id,
        "account": found.account_id,
        "outcome": "pending" if found.state == "APPROVED" else found.state.lower(),
        "state": found.state,
        "reason": found.reason,
        "actor": msgspec.to_builtins(found.given.meta.actor),
        "body": value_to_json(found.given.body),
        "proposed_by": found.proposed_by,
        "proposed_at": _instant(found.proposed_at),
        "waits_until": _instant(found.waits_until),
        "decided_by": found.decided_by,
        "decided_at": _instant(found.decided_at),
        "published_at": _instant(found.published_at),
        "at": f"/v1/approvals/{_part(found.account_id)}/{_part(found.command_id)}",
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else format_instant(from_datetime(at))


def status_of(answered: Answered) -> int:
    """The status that tells what came of a command."""
    if answered.proposal is not None:
        decided = answered.proposal.state in {"DECLINED", "EXPIRED"}
        return 409 if answered.other or decided else 202
    if answered.outcome is None:
        return 202
    codes = {each.code.value for each in answered.outcome.violations}
    if answered.other or codes & _OF_STATE:
        return 409
    return 422 if codes else 200


def outcome_to_json(found: Outcome, say: Saying = ENGLISH) -> dict[str, Any]:
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
        "quote_amount": _amount(found),
        "quote_currency": found.quote_currency,
        "violations": in_words(msgspec.to_builtins(found.violations), say),
        "recorded_at": format_instant(found.recorded_at),
        "partition": found.partition,
        "log_sequence": found.log_sequence,
    }


def _amount(found: Outcome) -> str | None:
    if found.quote_amount is None or found.quote_currency is None:
        return None
    return format_minor(found.quote_amount, found.quote_currency)


def _read(backend: Backend, asked: _Asked) -> GivenCommand:
    caller, kind = asked.caller, COMMANDS[asked.name]
    own = caller.own is not None and asked.actor is None
    actor = None if own else actor_of(caller, asked.actor)
    try:
        told = json.loads(asked.raw or b"{}")
    except (ValueError, RecursionError) as error:
        raise Problem(400, "The request cannot be read", f"the body is no JSON: {error}") from error
    body = body_told(backend, kind, told, asked.account_id)
    if actor is None:
        actor = _own_actor(backend, asked, body)
    meta = CommandMeta(command_id=asked.command_id, account_id=asked.account_id, actor=actor)
    return given_now(backend, meta, body)


def body_told(backend: Backend, kind: type[Command], told: object, account_id: str) -> Command:
    """A command's body in JSON. Raises FieldFault, with every field that cannot be read."""
    known = {} if kind is OpenAccount else backend.currencies([account_id])
    body, wrong = read_command_body(kind, told, known.get(account_id))
    if body is None:
        raise _not_taken(wrong)
    return body


def given_now(backend: Backend, meta: CommandMeta, body: Command) -> GivenCommand:
    """A command, given now. Raises FieldFault, with every value that is not possible."""
    meta = msgspec.structs.replace(meta, sandbox_at=backend.sandbox_at())
    given = GivenCommand(meta=meta, body=body)
    if problems := problems_of(given):
        raise _not_taken(problems)
    return given


def _own_actor(backend: Backend, asked: _Asked, body: Command) -> Actor:
    assert asked.caller.own is not None
    with backend.connection() as connection:
        return own_actor(connection, asked.caller.own, asked.caller.name, asked.account_id, body)


def _not_taken(problems: Iterable[FieldProblem | ValueProblem]) -> FieldFault:
    return FieldFault(
        [Fault(field=each.path, found=each.value, expected=each.expected) for each in problems]
    )


def actor_of(caller: Caller, text: str | None) -> Actor:
    """A program says for whom it acts; a person of support acts as such, under the own name."""
    if not caller.principals & MAY_NAME_ANY_ACTOR:
        if text is not None:
            raise Problem(403, "Not allowed", "only a program names an actor; leave it out")
        return Actor(id=caller.name, role=Role.SUPPORT)
    role, _, name = (text or "").partition(":")
    roles = [each.value for each in Role if each is not Role.SYSTEM]
    if role not in roles or not name:
        expected = worded("ROLE:ID with one of {roles}", roles=", ".join(roles))
        found = text[:60] if text else seen("nothing")
        raise FieldFault([Fault(field="Refunds-Actor", found=found, expected=expected)])
    return Actor(id=name, role=Role(role))


def patience_of(prefer: str | None) -> float:
    """How many seconds to wait, by the header `Prefer`."""
    for word in (prefer or "").split(","):
        name, _, value = word.strip().partition("=")
        if name == "wait" and value.isdecimal():
            return min(float(value), MOST_PATIENCE_SECONDS)
    return PATIENCE_SECONDS


add_routes()
