"""`/marketplace`: applications for refunds, when they are due, and what may be done with them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from msgspec.structs import replace
from psycopg import Connection

from console.web.access.guard import Caller, Own, caller_of
from console.web.access.own_things import VENDOR, OwnThings, within_of
from console.web.access.texts import opener_for
from console.web.api.commands import MAY_NAME_ANY_ACTOR
from console.web.api.cursors import place_of
from console.web.api.queries import Asked
from console.web.pages.accounts.account import REFUNDS
from console.web.pages.accounts.things import act_path
from console.web.pages.rendering import page, table_of
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.languages import N_
from console.web.pages.rendering.tables import way_on
from console.web.problems import Problem
from ledger.vocabulary.events import InvoiceStateRecorded, MarketplacePurchaseRecorded
from ledger.vocabulary.shapes import InvoiceState
from ledger.wire.json.mapping import value_to_json
from projector.asking.histories import of_purchase
from projector.asking.matching import Only
from projector.asking.queries import as_records, ask
from projector.questions import QUESTIONS

router = APIRouter(
    prefix="/marketplace",
    tags=["pages"],
    include_in_schema=False,
    dependencies=[Depends(stand)],
)
ROWS = 50
OPEN, EVERY_STATE = "OPEN", "ALL"
STATES: dict[str, Only] = {
    OPEN: {"state": ["PENDING", "HELD"]},
    **{
        each: {"state": [each]} for each in ("PENDING", "HELD", "REFUNDED", "WITHDRAWN", "DECLINED")
    },
    EVERY_STATE: {},
}
REQUESTS = replace(QUESTIONS["marketplace-requests"], order="due_at? requested_at request_id")
"""Those first that are due first."""


@router.get("")
def applications(
    request: Request,
    backend: Asked,
    own: Own,
    account: Annotated[str, Query()] = "",
    state: Annotated[str, Query()] = OPEN,
    cursor: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """The applications of a state, those first that are due first."""
    if state not in STATES:
        raise Problem(
            400, "The request cannot be read", f"state: {state!r} is none of {', '.join(STATES)}"
        )
    after = place_of("applications", cursor or None)
    with backend.connection() as connection:
        found = opener_for(request, backend, connection).answer(
            ask(
                connection,
                REQUESTS,
                account or None,
                ROWS,
                after=after,
                within=within_of(own),
                only=STATES[state],
            )
        )
    more = way_on(found, "applications", "/marketplace", {"account": account, "state": state})
    return page(
        request,
        "work/applications.html",
        applications=as_records(found),
        shown=replace(table_of(found, {"account": account}, STATES[state]), more=more),
        account=account,
        state=state,
        states=list(STATES),
    )


@router.get("/{purchase_id}")
def a_purchase(
    request: Request,
    backend: Asked,
    own: Own,
    purchase_id: str,
    account: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """A purchase with its invoice, its applications, its refunds, and the acts on it."""
    with backend.connection() as connection:
        purchase = _purchase(connection, own, account, purchase_id)
        of_it: Only = {"purchase_id": [purchase_id]}
        opener = opener_for(request, backend, connection)
        requests = as_records(opener.answer(ask(connection, REQUESTS, account, ROWS, only=of_it)))
        bought: Only = {"source_kind": ["MARKETPLACE"], "source_id": [purchase_id]}
        refunds = ask(connection, REFUNDS, account, ROWS, only=bought)
    waits = next((each for each in requests if each["state"] in {"PENDING", "HELD"}), None)
    return page(
        request,
        "work/purchase.html",
        account=account,
        purchase=purchase,
        requests=requests,
        refunds=table_of(opener.answer(refunds), {"account": account}, bought),
        acts=_acts(caller_of(request), account, purchase, waits is not None),
    )


def _purchase(
    connection: Connection[Any], own: OwnThings | None, account: str, purchase_id: str
) -> dict[str, Any]:
    """What was bought, and how its invoice stands. Problem where there is no such purchase."""
    bodies = [each.body for each in of_purchase(connection, account, purchase_id)]
    bought = next((each for each in bodies if isinstance(each, MarketplacePurchaseRecorded)), None)
    theirs = bought is not None and (
        own is None or own.within.has(account) or bought.vendor_id in own.vendors
    )
    if bought is None or not theirs:
        raise Problem(404, "Not found", f"account {account} has no purchase {purchase_id!r}")
    states = [each.invoice_state for each in bodies if isinstance(each, InvoiceStateRecorded)]
    invoice = states[-1] if states else InvoiceState.NONE
    return {**value_to_json(bought), "invoice": invoice.value}


def _acts(
    caller: Caller, account: str, purchase: dict[str, Any], waits: bool
) -> list[dict[str, str]]:
    """Each with its page; without one where who looks may not give it, or it makes no sense now."""

    def act(words: str, name: str, why_not: str = "", **more: str) -> dict[str, str]:
        there = act_path(account, name, purchase["purchase_id"], **more)
        return {"words": words, "name": name, "href": "" if why_not else there, "why": why_not}

    named = bool(caller.principals & MAY_NAME_ANY_ACTOR)
    speaks = named or VENDOR in caller.principals
    vendor, buyer, support = (
        {"as": f"{role}:{name}"} if named else {}
        for role, name in (
            ("VENDOR", purchase["vendor_id"]),
            ("BUYER", purchase["buyer_id"]),
            ("SUPPORT", caller.name),
        )
    )
    nothing = "" if waits else N_("no application waits")
    not_vendor = nothing or ("" if speaks else N_("the vendor answers it"))
    pending = N_("not while an application waits") if waits else ""
    return [
        act(N_("Approve"), "ApproveMarketplaceRefund", not_vendor, **vendor),
        act(N_("Decline"), "DeclineMarketplaceRefund", not_vendor, **vendor),
        act(N_("Withdraw the application"), "WithdrawMarketplaceRefund", nothing, **buyer),
        act(N_("Apply for a refund"), "RequestMarketplaceRefund", pending, **buyer),
        act(N_("Refund by ticket"), "RefundMarketplaceManually", pending, **support),
    ]
