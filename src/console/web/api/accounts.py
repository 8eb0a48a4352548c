"""`GET /v1/accounts/ACCOUNT/...`: what may be done, why an amount is what it is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from console.explaining.eligibility import eligibility_of
from console.explaining.event_sources import from_ledger
from console.explaining.explanation import explained, explanation_to_json
from console.rendering.reports.eligibility import eligibility_to_json
from console.web.api.queries import Asked, instant_of
from projector.asking.histories import history

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["accounts"])


@router.get("/eligibility")
def eligibility(
    account_id: str,
    backend: Asked,
    actor: Annotated[str | None, Query(description="Who would act.")] = None,
    support: Annotated[bool, Query(description="As support.")] = False,
    usd_rate: Annotated[str | None, Query(description="US dollars for one unit.")] = None,
    at: Annotated[str | None, Query(description="At a later instant.")] = None,
) -> dict[str, Any]:
    """What may be done now with each thing of the account, what it would bring, and why not."""
    with backend.connection() as connection:
        events = history(connection, account_id)
    found = eligibility_of(
        events,
        backend.terms,
        later=instant_of("at", at),
        usd_rate=usd_rate,
        actor_id=actor,
        support=support,
    )
    return eligibility_to_json(found)


@router.get("/explanations/{wanted}")
def explanation(account_id: str, wanted: str, backend: Asked) -> dict[str, Any]:
    """Why the amount of a refund, or of a command's outcome, is what it is, step by step."""
    found = from_ledger(backend.ledger, wanted, account_id)
    return explanation_to_json(explained(found, wanted, account_id, backend.terms))
