"""The pages to read: overview, lists, an account."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from console.explaining.eligibility import eligibility_of
from console.rendering.reports.eligibility import (
    brings_told,
    conditions_told,
    eligibility_head,
    eligibility_to_json,
)
from console.web.api.queries import Asked, instant_of
from console.web.pages.rendering import page, table_of
from console.web.problems import Problem
from projector.asking.histories import history
from projector.asking.queries import ask, moment
from projector.questions import QUESTIONS

router = APIRouter(tags=["pages"], include_in_schema=False)
ROWS, ROWS_OF_A_PART = 200, 20
OVERVIEW = (
    "recycle-bin",
    "refund-progress",
    "marketplace-requests",
    "overpaid-refunds",
    "trial-balance",
)
ACCOUNT = ("balances", "statement", "quotas", "annual-refund-totals", "refunds", "events")


@router.get("/")
def overview(request: Request, backend: Asked) -> HTMLResponse:
    """What waits, what is on its way, and the books."""
    with backend.connection() as connection:
        parts = [
            (each, table_of(ask(connection, QUESTIONS[each], None, ROWS_OF_A_PART)))
            for each in OVERVIEW
        ]
    return page(request, "overview.html", parts=parts)


@router.get("/lists/{name}")
def a_list(
    request: Request,
    backend: Asked,
    name: str,
    account: Annotated[str, Query()] = "",
    as_of: Annotated[str, Query()] = "",
    known_at: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """The rows of a query, now or at a past instant."""
    question = QUESTIONS.get(name)
    if question is None:
        raise Problem(404, "Not found", f"there is no list {name!r}")
    with backend.connection() as connection:
        at = moment(
            connection,
            instant_of("as_of", as_of or None),
            instant_of("known_at", known_at or None),
        )
        found = ask(connection, question, account or None, ROWS, at)
    return page(
        request,
        "list.html",
        question=question,
        names=list(QUESTIONS),
        shown=table_of(found),
        more=len(found.rows) == ROWS,
        account=account,
        as_of=as_of,
        known_at=known_at,
        query=request.url.query,
    )


@router.get("/accounts/{account_id}")
def an_account(
    request: Request,
    backend: Asked,
    account_id: str,
    usd_rate: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """What an account has, what may be done with it and why not, its balances and its events."""
    with backend.connection() as connection:
        events = history(connection, account_id)
        parts = [
            (name, table_of(ask(connection, QUESTIONS[name], account_id, ROWS_OF_A_PART)))
            for name in ACCOUNT
        ]
    found = eligibility_of(events, backend.terms, usd_rate=usd_rate or None)
    told = eligibility_to_json(found)
    return page(
        request,
        "account.html",
        account_id=account_id,
        head=eligibility_head(found),
        eligibility={"things": [_thing(each) for each in told["things"]]},
        parts=parts,
    )


def _thing(told: dict[str, Any]) -> dict[str, Any]:
    """A thing with its acts: what each would bring, or every reason against it."""
    acts = [
        {
            "act": act["act"],
            "may": act["may"],
            "brings": brings_told(act),
            "why": "; ".join(conditions_told(act)),
        }
        for act in told["acts"]
    ]
    return {"kind": told["kind"], "id": told["id"], "status": told["state"], "acts": acts}
