"""`/refunds/ID`: why its amount is what it is, how far it has come, and what was booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from msgspec.structs import replace
from psycopg import Connection

from console.explaining.event_sources import from_history
from console.explaining.explanation import explained, explanation_to_json
from console.sealing.showing import Opener
from console.web.access.guard import Own
from console.web.access.own_things import OwnThings, see_account, within_of
from console.web.access.texts import opener_for
from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.pages.accounts.opening import opened
from console.web.pages.accounts.stations import attempts_of, stations_of
from console.web.pages.accounts.things import act_path
from console.web.pages.rendering import page, table_of
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.languages import N_
from console.web.pages.rendering.tables import Table
from console.web.problems import Problem
from ledger.vocabulary.envelope import RecordedEvent
from projector.asking.histories import about_thing, of_refund
from projector.asking.matching import Only
from projector.asking.queries import Answer, as_records, ask, of_columns
from projector.questions import QUESTIONS

router = APIRouter(tags=["pages"], include_in_schema=False, dependencies=[Depends(stand)])
MOST_ABOUT_THE_THING, MOST_ROWS = 50, 100
MOST_ACCOUNTS = 20
_ACCOUNTS = replace(
    of_columns(QUESTIONS["refunds"], ["account_id", "refund_id"]), order="account_id"
)
Row = Mapping[str, Any]


@router.get("/refunds/{refund_id}")
def a_refund(
    request: Request,
    backend: Asked,
    own: Own,
    refund_id: str,
    account: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """The refund; where several accounts have one of that id, the accounts to choose from."""
    with backend.connection() as connection:
        if account:
            see_account(own, account)
        found = [account] if account else _accounts(connection, own, refund_id)
        if len(found) > 1:
            values: dict[str, Any] = {"refund_id": refund_id, "accounts": found}
            return page(request, "accounts/refunds.html", **values)
        asked = _Asked(connection, opener_for(request, backend, connection))
        refund = _refund(asked, refund_id, found)
        values = _values(asked, backend, refund)
    return page(request, "accounts/refund.html", refund=refund, **values)


class _Asked:
    """Answers of the read models, with their texts as far as who looks may read them."""

    def __init__(self, connection: Connection[Any], opener: Opener) -> None:
        self.connection = connection
        self.opener = opener

    def rows(self, name: str, account_id: str, only: Only) -> list[dict[str, Any]]:
        """The account's rows of a query that have these values."""
        return as_records(self._answer(name, account_id, only))

    def table(self, name: str, account_id: str, only: Only) -> Table:
        """The same as a table."""
        return table_of(self._answer(name, account_id, only), {"account": account_id}, only)

    def _answer(self, name: str, account_id: str, only: Only) -> Answer:
        question = QUESTIONS[name]
        return self.opener.answer(ask(self.connection, question, account_id, MOST_ROWS, only=only))


def _accounts(connection: Connection[Any], own: OwnThings | None, refund_id: str) -> list[str]:
    """The first of the accounts with a refund of that id, of those that who asks may see."""
    of_it: Only = {"refund_id": [refund_id]}
    found = ask(connection, _ACCOUNTS, limit=MOST_ACCOUNTS, within=within_of(own), only=of_it)
    return [str(account_id) for account_id, _ in found.rows]


def _refund(asked: _Asked, refund_id: str, accounts: Sequence[str]) -> Row:
    """The row of the refund. Problem where there is none, UnknownAccount without the account."""
    for account_id in accounts:
        found = asked.rows("refunds", account_id, {"refund_id": [refund_id]})
        if found:
            return found[0]
    raise Problem(404, "Not found", f"the ledger has no refund {refund_id!r}")


def _values(asked: _Asked, backend: Backend, refund: Row) -> dict[str, Any]:
    account_id, refund_id = refund["account_id"], refund["refund_id"]
    of_it: Only = {"refund_id": [refund_id]}
    events = opened(of_refund(asked.connection, account_id, refund_id), asked.opener)
    requests = asked.rows("marketplace-requests", account_id, of_it)
    # Release 0.1.0 and a purge of the read models leave nothing to explain: the rest is shown.
    told = _explained(asked, backend, refund, events) if events else None
    tables: dict[str, Only] = {
        "postings": {"event_id": [each.meta.event_id for each in events]},
        "documents": of_it,
        "refund-progress": of_it,
        "overpaid-refunds": of_it,
    }
    return {
        "explanation": told,
        "stations": stations_of(refund, events, requests[0]["requested_at"] if requests else None),
        "attempts": attempts_of(events),
        "tables": [
            shown
            for name, only in tables.items()
            if (shown := asked.table(name, account_id, only)).rows
        ],
        "acts": _acts(refund),
    }


def _explained(
    asked: _Asked, backend: Backend, refund: Row, events: Sequence[RecordedEvent]
) -> dict[str, Any]:
    """As `refundctl explain`, from what the read models have of the refund and of its thing."""
    account_id = refund["account_id"]
    first = events[0].meta.sequence
    before = about_thing(
        asked.connection, account_id, refund["source_id"], first, MOST_ABOUT_THE_THING
    )
    found = from_history((*before, *events), asked.opener)
    told = explained(found, refund["refund_id"], account_id, backend.terms)
    return explanation_to_json(told)


def _acts(refund: Row) -> list[dict[str, str]]:
    """What support may do with it, each on a page of its own."""
    acts = []
    if refund["state"] == "HELD":
        acts.append(("SettleRefund", N_("Settle again")))
    if refund["state"] in {"SETTLED", "HELD"} and refund["corrected_at"] is None:
        acts.append(("CorrectRefund", N_("Correct")))
    return [
        {"words": words, "href": act_path(refund["account_id"], name, refund["refund_id"])}
        for name, words in acts
    ]
