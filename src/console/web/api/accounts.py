"""`GET /v1/accounts/ACCOUNT/...`: what may be done, why an amount is what it is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from console.explaining.eligibility import eligibility_in, eligibility_of
from console.explaining.event_sources import from_history, is_of
from console.explaining.explanation import Explanation, explained, explanation_to_json
from console.rendering.reports.eligibility import eligibility_to_json
from console.rendering.reports.reasons import in_words
from console.web.access.guard import own_account
from console.web.access.texts import opener_for
from console.web.api.openapi import json_answer
from console.web.api.queries import Asked, instant_of
from console.web.backend import Backend
from console.web.problems import Problem, saying_for
from ledger.values.instants import format_instant
from ledger.wire.json.mapping import value_to_json
from projector.asking.histories import history
from projector.asking.queries import as_records, ask
from projector.questions import QUESTIONS

router = APIRouter(
    prefix="/v1/accounts/{account_id}", tags=["accounts"], dependencies=[Depends(own_account)]
)
_RATE = "US dollars for one unit of the account's currency, where a cap in dollars is compared."
_AT = "At a later instant (RFC 3339), to plan: timers due by then are taken as done."


@router.get("/eligibility", responses={200: json_answer("Eligibility", "Thing by thing.")})
def eligibility(
    account_id: str,
    request: Request,
    backend: Asked,
    actor: Annotated[
        str | None, Query(description="Who would act; each thing's own owner without it.")
    ] = None,
    support: Annotated[
        bool, Query(description="As support that acts for owners and buyers.")
    ] = False,
    usd_rate: Annotated[str | None, Query(description=_RATE, examples=["0.137"])] = None,
    at: Annotated[str | None, Query(description=_AT, examples=["2026-01-31T00:00:00Z"])] = None,
) -> dict[str, Any]:
    """What may be done now with each thing of the account, what it would bring, and why not."""
    if at is None:
        with backend.folded.folded(backend.connection, account_id) as account:
            found = eligibility_in(
                account, backend.terms, usd_rate=usd_rate, actor_id=actor, support=support
            )
        return eligibility_to_json(found, saying_for(request))
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
    return eligibility_to_json(found, saying_for(request))


@router.get("/explanations/{wanted}", responses={200: json_answer("Explanation", "Step by step.")})
def explanation(account_id: str, wanted: str, request: Request, backend: Asked) -> dict[str, Any]:
    """Why the amount of a refund or a quote is what it is, step by step, or why a command was
    refused; by the id of the refund or the command.
    """
    found = explanation_of(request, backend, account_id, wanted)
    return explanation_to_json(found, saying_for(request))


@router.get("/quotes/{quote_id}", responses={200: json_answer("Quote", "The quote.")})
def quote(account_id: str, quote_id: str, request: Request, backend: Asked) -> dict[str, Any]:
    """A quote: its amount, how it was calculated, until when it is valid, and the rules that would
    refuse to act on it.
    """
    with backend.connection() as connection:
        events = history(connection, account_id).events
        for event in events:
            if event.name.endswith("Quoted") and getattr(event.body, "quote_id", "") == quote_id:
                opener = opener_for(request, backend, connection)
                body = opener.shown(account_id, event.meta.causation_id, value_to_json(event.body))
                violations = in_words(body["violations"], saying_for(request))
                return {
                    "account": account_id,
                    "event": event.name,
                    "command_id": event.meta.causation_id,
                    "quoted_at": format_instant(event.meta.recorded_at),
                    "terms": event.meta.terms,
                    **body,
                    "violations": violations,
                }
    raise Problem(404, "Not found", f"account {account_id} has no quote {quote_id}")


@router.get("/refunds/{refund_id}", responses={200: json_answer("Refund", "The refund.")})
def refund(account_id: str, refund_id: str, request: Request, backend: Asked) -> dict[str, Any]:
    """A refund with every step on its way, from its issue to its payment."""
    with backend.connection() as connection:
        opener = opener_for(request, backend, connection)
        found = {
            name: as_records(opener.answer(ask(connection, QUESTIONS[name], account_id)))
            for name in ("refunds", "refund-progress")
        }
    rows = {
        name: [each for each in records if each["refund_id"] == refund_id]
        for name, records in found.items()
    }
    if not rows["refunds"]:
        raise Problem(404, "Not found", f"account {account_id} has no refund {refund_id}")
    return {**rows["refunds"][0], "steps": rows["refund-progress"]}


def explanation_of(request: Request, backend: Backend, account_id: str, wanted: str) -> Explanation:
    """The explanation of a refund or a command, with its texts as far as who asks may read them.

    Problem 404 if the account has neither.
    """
    with backend.connection() as connection:
        events = history(connection, account_id).events
        found = from_history(events, opener_for(request, backend, connection))
    if not any(is_of(each, wanted) for each in found.entries):
        raise Problem(
            404, "Not found", f"account {account_id} has no refund and no command {wanted}"
        )
    return explained(found, wanted, account_id, backend.terms)
