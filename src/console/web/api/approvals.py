"""`/v1/approvals`: commands that wait for a second person, who approves or declines them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from console.sealing.showing import Opener
from console.web.access.guard import caller_of
from console.web.access.texts import opener_for
from console.web.api.commands import (
    ANSWERS,
    UNANSWERED,
    AccountId,
    answer_of,
    patience_of,
    place_of_command,
    proposal_to_json,
)
from console.web.api.cursors import cursor_of, link_to_next, place_of
from console.web.api.openapi import json_answer, problem_answers
from console.web.api.queries import CURSOR, Asked
from console.web.approving import proposals
from console.web.approving.proposals import Proposal, Which
from console.web.desk import approve
from console.web.problems import Problem, saying_for

router = APIRouter(prefix="/v1/approvals", tags=["approvals"])
MOST = 200
_DECIDED = problem_answers(s409="Somebody has decided already, or it waits no more.")


@router.get("", responses={200: json_answer("Proposals", "The newest first, some at a time.")})
def approvals(
    request: Request,
    response: Response,
    backend: Asked,
    waiting: Annotated[bool, Query(description="Only those that still wait.")] = True,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Proposals of a page.")] = MOST,
    cursor: Annotated[str | None, Query(description=CURSOR)] = None,
) -> dict[str, Any]:
    """Commands that wait for a second person."""
    after = place_of("approvals", cursor, proposals.PLACE)
    which = Which.WAITING if waiting else Which.ALL
    with backend.connection() as connection:
        found, last = proposals.newest(connection, which, limit, after)
        opener = opener_for(request, backend, connection)
        shown = [proposal_shown(opener, each) for each in found]
    following = None if last is None else cursor_of("approvals", last)
    if following is not None:
        asked = dict(request.query_params)
        response.headers["Link"] = link_to_next(request.url.path, asked, None, following)
    return {"proposals": shown, "next": following}


@router.get(
    "/{account_id}/{command_id}", responses={200: json_answer("Proposal", "What became of it.")}
)
def approval(
    request: Request, account_id: AccountId, command_id: str, backend: Asked
) -> dict[str, Any]:
    """One of them, also after it was decided."""
    key = (account_id, command_id)
    with backend.connection() as connection:
        if found := proposals.find(connection, [key]).get(key):
            return proposal_shown(opener_for(request, backend, connection), found)
    raise Problem(404, "Not found", f"command {command_id} of account {account_id}: none waits")


@router.post("/{account_id}/{command_id}/approve", responses={**ANSWERS, **_DECIDED})
def approve_one(
    request: Request,
    account_id: AccountId,
    command_id: str,
    backend: Asked,
    prefer: Annotated[str | None, Header(description="wait=SECONDS, at most 60.")] = None,
) -> JSONResponse:
    """Approve it as the second person: it is published, and answered with its outcome."""
    where = place_of_command(account_id, command_id)
    by = caller_of(request).giver
    try:
        answered = approve(backend, (account_id, command_id), patience_of(prefer), by=by)
    except UNANSWERED as error:
        raise Problem(
            503,
            "Not known yet",
            f"the database or the brokers do not answer; look at {where} later, or approve it "
            "again: it is decided once",
            command_id=command_id,
        ) from error
    return answer_of(answered, command_id, where, saying_for(request))


@router.post(
    "/{account_id}/{command_id}/decline",
    responses={200: json_answer("Proposal", "It is declined."), **_DECIDED},
)
def decline_one(
    request: Request, account_id: AccountId, command_id: str, backend: Asked
) -> dict[str, Any]:
    """Decline it, or withdraw the own proposal: it is never published."""
    with backend.connection() as connection:
        key, name = (account_id, command_id), caller_of(request).name
        declined = proposals.decline(connection, key, name)
        return proposal_shown(opener_for(request, backend, connection), declined)


def proposal_shown(opener: Opener, found: Proposal) -> dict[str, Any]:
    """A proposal with its texts as far as who asks may read them."""
    told: dict[str, Any] = opener.shown(*found.key, proposal_to_json(found))
    return told
