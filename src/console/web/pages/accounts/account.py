"""`/accounts/ACCOUNT`: what it has and may do, its statement, and what happened."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from msgspec.structs import replace
from psycopg import Connection

from console.sealing.showing import Opener
from console.web.access.guard import own_account
from console.web.access.texts import opener_for
from console.web.api.cursors import place_of
from console.web.api.queries import Asked
from console.web.pages.accounts.things import ShownThings, things_of
from console.web.pages.accounts.timeline import timeline
from console.web.pages.rendering import AskedPast, Past, page, table_of
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.links import account_path
from console.web.pages.rendering.sayings import saying_of
from console.web.pages.rendering.tables import Table, way_on
from console.web.problems import Problem
from ledger.vocabulary.shapes import AccountType
from projector.asking.queries import Cell, Moment, Place, as_records, ask, of_columns
from projector.questions import QUESTIONS, Question

router = APIRouter(
    prefix="/accounts/{account_id}",
    tags=["pages"],
    include_in_schema=False,
    dependencies=[Depends(own_account), Depends(stand)],
)
A_FEW, MANY = 10, 50


def _some(name: str, columns: str, order: str) -> Question:
    """A query with some columns, in another order."""
    return replace(of_columns(QUESTIONS[name], columns.split()), order=order)


STATEMENT = _some(
    "statement",
    "line business_date kind event_name refund_id cash gift amount balance_cash balance_gift"
    " balance currency recorded_at occurred_at account_id",
    "account_id -line",
)
"""The newest lines first."""
REFUNDS = _some(
    "refunds",
    "refund_id source_kind source_id rule state amount currency issued_at settled_at"
    " held_because account_id",
    "-finance.micros(issued_at) refund_id",
)
Before = Annotated[int | None, Query(ge=1, le=2**62)]
Rate = Annotated[str, Query(max_length=40)]
Start = Annotated[int, Query(ge=0, le=10_000_000)]


@router.get("")
def an_account(
    request: Request,
    backend: Asked,
    past: AskedPast,
    account_id: str,
    usd_rate: Rate = "",
    support: str = "",
) -> HTMLResponse:
    """The account on one page: of everything that can be long the newest."""
    with backend.connection() as connection:
        at, opener = past.moment(connection), opener_for(request, backend, connection)
        account = _one(connection, "accounts", account_id, None)
        online = account["account_type"] == AccountType.ONLINE  # which has no reservations
        parts: dict[str, Any] = {
            "account": account,
            "balance": _one(connection, "balances", account_id, at),
            "cap": None if online else _one(connection, "annual-refund-totals", account_id, at),
            "statement": _statement(connection, account_id, at, A_FEW, None, past.query),
            "timeline": timeline(connection, opener, account_id, A_FEW, None, at),
            "tables": [] if at else _tables(connection, opener, account_id),
            "far": at is None and backend.folded.is_far(connection, account_id),
        }
    things = (
        None
        if at or parts["far"]
        else things_of(
            backend,
            account_id,
            usd_rate=usd_rate,
            support=bool(support),
            count=A_FEW,
            say=saying_of(request),
        )
    )
    return page(
        request,
        "accounts/account.html",
        account_id=account_id,
        past=_kept(past, "usd_rate", "support"),
        things=things,
        usd_rate=usd_rate,
        support=support,
        **parts,
    )


@router.get("/things")
def all_things(
    request: Request,
    backend: Asked,
    account_id: str,
    usd_rate: Rate = "",
    support: str = "",
    start: Start = 0,
) -> HTMLResponse:
    """Everything it has, some at a time."""
    found: ShownThings = things_of(
        backend,
        account_id,
        usd_rate=usd_rate,
        support=bool(support),
        start=start,
        say=saying_of(request),
    )
    return page(
        request,
        "accounts/things.html",
        account_id=account_id,
        things=found,
        usd_rate=usd_rate,
        support=support,
    )


@router.get("/statement")
def whole_statement(
    request: Request,
    backend: Asked,
    past: AskedPast,
    account_id: str,
    cursor: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """Its income and expense lines, the newest first, with the balance after each."""
    after = place_of("account-statement", cursor or None)
    with backend.connection() as connection:
        at = past.moment(connection)
        shown = _statement(connection, account_id, at, MANY, after, past.query)
    return page(
        request, "accounts/statement.html", account_id=account_id, shown=shown, past=_kept(past)
    )


@router.get("/events")
def whole_timeline(
    request: Request,
    backend: Asked,
    past: AskedPast,
    account_id: str,
    before: Before = None,
) -> HTMLResponse:
    """Its timeline, the newest first."""
    with backend.connection() as connection:
        at = past.moment(connection)
        _one(connection, "accounts", account_id, None)
        opener = opener_for(request, backend, connection)
        found = timeline(connection, opener, account_id, MANY, before, at)
    return page(
        request, "accounts/events.html", account_id=account_id, timeline=found, past=_kept(past)
    )


def _kept(past: Past, *names: str) -> Past:
    """The past, with those of the page's other values that its form keeps."""
    return replace(past, others={k: v for k, v in past.others.items() if k in names})


def _one(
    connection: Connection[Any], name: str, account_id: str, at: Moment | None
) -> dict[str, Cell]:
    """The account's one row of a query. Raises UnknownAccount."""
    found = as_records(ask(connection, QUESTIONS[name], account_id, 1, at))
    if not found:
        raise Problem(404, "Not found", f"{name} has nothing of account {account_id}")
    return found[0]


def _statement(
    connection: Connection[Any],
    account_id: str,
    at: Moment | None,
    limit: int,
    after: Place | None,
    asked: dict[str, str],
) -> Table:
    found = ask(connection, STATEMENT, account_id, limit, at, after)
    more = way_on(found, "account-statement", f"{account_path(account_id)}/statement", asked)
    return replace(table_of(found, {"account": account_id, **asked}), more=more)


def _tables(connection: Connection[Any], opener: Opener, account_id: str) -> list[Table]:
    """The other lists of the account, those that have rows."""
    questions: list[Question] = [QUESTIONS["quotas"], REFUNDS]
    found = [ask(connection, each, account_id, A_FEW) for each in questions]
    return [table_of(opener.answer(each), {"account": account_id}) for each in found if each.rows]
