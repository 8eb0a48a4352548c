"""`/recycle-bin`: what waits to be destroyed, until when, and the two ways out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from msgspec.structs import replace

from console.web.access.guard import Own
from console.web.access.own_things import within_of
from console.web.api.cursors import place_of
from console.web.api.queries import Asked
from console.web.pages.accounts.things import act_path
from console.web.pages.rendering import AskedPast, page, table_of
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.tables import way_on
from console.web.problems import Problem
from projector.asking.matching import Only
from projector.asking.queries import as_records, ask
from projector.questions import QUESTIONS, Keys, Question

router = APIRouter(tags=["pages"], include_in_schema=False, dependencies=[Depends(stand)])
ROWS = 50
STATES = ("ISOLATED", "RESTORED", "DESTROYED", "ISOLATED_ANEW")
EVERY_STATE = "ALL"
_REPLACED = """EXISTS (SELECT FROM read_models.recycle_bin later
    WHERE later.account_id = b.account_id AND later.instance_id = b.instance_id
    AND (later.isolated_at, later.recorded_at) > (b.isolated_at, b.recorded_at))"""
STILL_ISOLATED = f"b.state = 'ISOLATED' AND NOT {_REPLACED}"
"""Of a row `b` of the read model: it is in the recycle bin now."""
_STORED = {
    "ISOLATED": (STILL_ISOLATED,),
    "RESTORED": ("b.state = 'RESTORED'",),
    "DESTROYED": ("b.state = 'DESTROYED'",),
    "ISOLATED_ANEW": (f"b.state = 'ISOLATED' AND {_REPLACED}",),
    EVERY_STATE: tuple(f"b.state = '{each}'" for each in ("ISOLATED", "RESTORED", "DESTROYED")),
}
"""State → the rows that have it, which an index has in the order of the page."""
_KEY = ("finance.micros(restore_until)", "account_id", "isolation_id", "instance_id")


def stays_of(state: str) -> Question:
    """The stays of a state, in the order in which their time is up."""
    return replace(
        QUESTIONS["recycle-bin"],
        order=" ".join(_KEY),
        keys=Keys(
            columns=("until", *_KEY[1:]),
            words=_KEY,
            sources=tuple(
                "(SELECT b.restore_until AS until, b.account_id, b.isolation_id,"  # noqa: S608
                f" b.instance_id FROM read_models.recycle_bin b WHERE {stored})"
                for stored in _STORED[state]
            ),
        ),
    )


@router.get("/recycle-bin")
def recycle_bin(
    request: Request,
    backend: Asked,
    past: AskedPast,
    own: Own,
    account: Annotated[str, Query()] = "",
    state: Annotated[str, Query()] = "ISOLATED",
    cursor: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """The stays of a state, those first whose time is up first; of one account or of all."""
    if state not in {*STATES, EVERY_STATE}:
        raise Problem(
            400,
            "The request cannot be read",
            f"state: {state!r} is none of {', '.join((*STATES, EVERY_STATE))}",
        )
    after = place_of("bin", cursor or None)
    with backend.connection() as connection:
        at = past.moment(connection)
        # What had a state in the past may have another one now.
        question = stays_of(state if at is None else EVERY_STATE)
        only: Only = {} if state == EVERY_STATE else {"state": [state]}
        found = ask(connection, question, account or None, ROWS, at, after, within_of(own), only)
    asked = {"account": account, **past.query}
    more = way_on(found, "bin", "/recycle-bin", {**asked, "state": state})
    return page(
        request,
        "accounts/recycle_bin.html",
        stays=[_stay(each, present=at is None) for each in as_records(found)],
        shown=replace(table_of(found, asked, only), more=more),
        account=account,
        state=state,
        states=(*STATES, EVERY_STATE),
        past=past,
    )


def _stay(row: dict[str, Any], *, present: bool) -> dict[str, Any]:
    """A row with where its two buttons lead: only of what is in the bin now."""
    there = present and row["state"] == "ISOLATED"
    ways = {}
    if there:
        account_id, thing = row["account_id"], row["instance_id"]
        renewal = {"renewal_order_id": row["averted_by"]} if row["averted_by"] else {}
        ways = {
            "restore": act_path(account_id, "RestoreInstance", thing, **renewal),
            "offline": act_path(account_id, "TakeInstanceOffline", thing),
        }
    return {**row, "ways": ways}
