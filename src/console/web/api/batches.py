"""`POST /v1/batches`: commands as JSON lines in, the outcome of each as a JSON line out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from msgspec.structs import replace

from console.rendering.sentences.saying import Saying
from console.web.access.guard import Caller, caller_of
from console.web.api.commands import (
    MAY_NAME_ANY_ACTOR,
    UNANSWERED,
    outcome_to_json,
    patience_of,
    proposal_to_json,
    status_of,
)
from console.web.api.formats import LINES
from console.web.api.openapi import problem_answers
from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.desk import Answered, give_all
from console.web.problems import Fault, Problem, fault_told, problem_of, saying_for
from ledger.vocabulary.commands import EraseSubject
from ledger.vocabulary.shapes import Role
from ledger.wire.json.command_file import read_commands
from ledger.wire.json.command_lines import CommandFileProblem, CommandLine
from ledger.wire.json.lines import JsonLine, json_lines_of

router = APIRouter(prefix="/v1", tags=["commands"])
MOST_BYTES, BYTES_IN_MEMORY = 256_000_000, 1_000_000
LINES_AT_ONCE, BYTES_AT_ONCE = 100, 1_000_000
_AWAY = "the database or the brokers do not answer"
Line = dict[str, Any]

_EXAMPLE = (
    '{"account": "acct-1", "id": "c-1", "actor": {"id": "billing", "role": "BILLING"},'
    ' "command": "ChangeCard", "body": {"card_id": "card-1"}}'
)
_BODY = {
    "required": True,
    "content": {
        LINES: {"schema": {"type": "string"}, "examples": {"lines": {"value": _EXAMPLE}}},
    },
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A line for each line: its number, its status, and its outcome.",
        "content": {LINES: {"schema": {"type": "string"}}},
    },
    **problem_answers(s413=f"More than {MOST_BYTES} bytes."),
}


@router.post(
    "/batches",
    operation_id="batch",
    response_class=StreamingResponse,
    responses=_ANSWERS,
    openapi_extra={"requestBody": _BODY},
)
async def batch(
    request: Request,
    backend: Asked,
    prefer: Annotated[str | None, Header(description="wait=SECONDS for each 100 lines.")] = None,
) -> StreamingResponse:
    """Publish many commands, in their order, and answer each line with its outcome.

    A line with a fault is answered with 400, and the others are published. The lines are those of
    a command file without `at` and without references to results of other lines.
    """
    file: IO[bytes] = SpooledTemporaryFile(BYTES_IN_MEMORY)  # noqa: SIM115  # closed when answered
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > MOST_BYTES:
            file.close()
            raise Problem(413, "Too long", f"a batch has at most {MOST_BYTES} bytes; send several")
        file.write(piece)
    file.seek(0)
    caller, say = caller_of(request), saying_for(request)
    answers = _answers(backend, file, caller, patience_of(prefer), say)
    return StreamingResponse((json.dumps(each) + "\n" for each in answers), media_type=LINES)


def _answers(
    backend: Backend, file: IO[bytes], caller: Caller, patience_seconds: float, say: Saying
) -> Iterator[Line]:
    """Some lines after the other are published and answered, so that memory has only these.

    Once the database or the brokers do not answer, no further line is tried. A fault of ours stops
    the lines that were tried with it, and no others.
    """
    with file:
        lines, away = json_lines_of(file), False
        while some := taken_at_once(lines, file):
            try:
                if not away:
                    yield from _of_some(backend, some, caller, patience_seconds, say)
            except UNANSWERED:
                away = True
            except Exception as error:
                yield from _not_done(some, error)
            if away:
                yield from (_not_known(each, _AWAY) for each in some)


def taken_at_once(lines: Iterator[JsonLine], file: IO[bytes]) -> list[JsonLine]:
    """The next lines, as many as are taken at once: objects take many times the room of a text."""
    found: list[JsonLine] = []
    began = file.tell()
    for each in lines:
        found.append(each)
        if len(found) == LINES_AT_ONCE or file.tell() - began >= BYTES_AT_ONCE:
            break
    return found


def _of_some(
    backend: Backend,
    some: Sequence[JsonLine],
    caller: Caller,
    patience_seconds: float,
    say: Saying,
) -> list[Line]:
    answers: dict[int, Line] = {}
    given, faults = [], defaultdict(list)
    currencies = backend.currencies(_accounts_in(some))
    for each in read_commands(some, require_at=False, known_currencies=currencies):
        if isinstance(each, CommandFileProblem):
            fault = Fault(field=each.field, found=each.found, expected=each.expected)
            faults[each.line].append(fault_told(fault, say))
        elif isinstance(each, CommandLine) and (refused := _not_possible(backend, each, caller)):
            answers[each.line_number] = refused
        elif isinstance(each, CommandLine):
            given.append(each)
    for number, found in faults.items():
        answers[number] = {"line": number, "status": 400, "faults": found}
    sandbox_at = backend.sandbox_at()
    commands = [
        replace(each.command, meta=replace(each.command.meta, sandbox_at=sandbox_at))
        for each in given
    ]
    answered_all = give_all(backend, commands, patience_seconds, by=caller.giver)
    for each, answered in zip(given, answered_all, strict=True):
        answers[each.line_number] = _line(each, answered, say)
    return [answers[number] for number in sorted(answers)]


def _line(line: CommandLine, answered: Answered, say: Saying) -> Line:
    head = {"line": line.line_number, "status": status_of(answered)}
    if answered.proposal is not None:
        told = proposal_to_json(answered.proposal)
        return {**head, "proposal": told} if head["status"] == 409 else {**head, **told}
    if answered.outcome is None:
        told = {"outcome": "pending", "command_id": line.id, "account": line.account}
        return {**head, **told}
    told = outcome_to_json(answered.outcome, say)
    if answered.other:
        return {**head, "command_id": line.id, "account": line.account, "first_outcome": told}
    return {**head, **told}


def _not_possible(backend: Backend, line: CommandLine, caller: Caller) -> Line | None:
    """What a command file may have and a batch may not."""
    actor = line.command.meta.actor
    status, detail = 400, None
    if line.references:
        detail = f"{next(iter(line.references))}: name an id; a batch resolves no references"
    elif actor.role is Role.SYSTEM:
        detail = "actor: nobody gives a command as SYSTEM"
    elif not caller.principals & MAY_NAME_ANY_ACTOR and (actor.id, actor.role) != (
        caller.name,
        Role.SUPPORT,
    ):
        status, detail = 403, f"actor: {caller.name} acts as SUPPORT under this name alone"
    elif isinstance(line.command.body, EraseSubject) and "operator" not in caller.principals:
        status, detail = 403, "command: it takes an operator to give EraseSubject"
    else:
        status, detail = 422, backend.too_long(line.command)
    if detail is None:
        return None
    return {"line": line.line_number, "status": status, "command_id": line.id, "detail": detail}


def _not_done(some: Sequence[JsonLine], error: Exception) -> Iterator[Line]:
    told = error if isinstance(error, Problem) else problem_of("/v1/batches", error)
    return (_not_known(each, told.detail) for each in some)


def _not_known(line: JsonLine, why: str) -> Line:
    return {
        "line": line.number,
        "status": 503,
        "command_id": (line.value or {}).get("id"),
        "account": (line.value or {}).get("account"),
        "detail": f"{why}; send this line again as it is",
    }


def _accounts_in(some: Sequence[JsonLine]) -> set[str]:
    return {
        account
        for line in some
        if isinstance(account := (line.value or {}).get("account"), str) and account.isprintable()
    }
