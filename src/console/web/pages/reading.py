"""The page of an account."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from console.explaining.eligibility import eligibility_of
from console.rendering.reports.eligibility import (
    brings_told,
    conditions_told,
    eligibility_head,
    eligibility_to_json,
)
from console.web.access.guard import own_account
from console.web.access.texts import opener_for
from console.web.api.queries import Asked
from console.web.pages.rendering import page, table_of
from console.web.pages.rendering.standing import stand
from projector.asking.histories import history
from projector.asking.queries import ask
from projector.questions import QUESTIONS

router = APIRouter(tags=["pages"], include_in_schema=False)
ROWS_OF_A_PART = 20
ACCOUNT = ("balances", "statement", "quotas", "annual-refund-totals", "refunds", "events")


@router.get("/accounts/{account_id}", dependencies=[Depends(own_account), Depends(stand)])
def an_account(
    request: Request,
    backend: Asked,
    account_id: str,
    usd_rate: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """What an account has, what may be done with it and why not, its balances and its events."""
    with backend.connection() as connection:
        events = history(connection, account_id)
        opener = opener_for(request, backend, connection)
        parts = [
            table_of(
                opener.answer(ask(connection, QUESTIONS[name], account_id, ROWS_OF_A_PART)),
                {"account": account_id},
            )
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
