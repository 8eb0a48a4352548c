"""`/lists/NAME`: the rows of a query as a page, and as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from console.web.access.guard import Own
from console.web.access.own_things import within_of
from console.web.access.texts import opener_for
from console.web.api.cursors import place_of
from console.web.api.formats import CSV, JSON, LINES
from console.web.api.queries import Asked, every_row
from console.web.pages.rendering import AskedPast, page, table_of
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.links import NOTHING
from console.web.pages.rendering.tables import words_of, words_of_list
from console.web.problems import Problem
from projector.asking.matching import Only
from projector.asking.queries import ask
from projector.questions import QUESTIONS, Question

router = APIRouter(tags=["pages"], include_in_schema=False)
ROWS = 100
CHOSEN_BY = frozenset(
    {"state", "rule", "event_name", "command_type", "refund_id", "ledger_account"}
)
FORMATS = {"csv": CSV, "jsonl": LINES, "json": JSON}


@router.get("/lists/{name}", dependencies=[Depends(stand)])
def a_list(
    request: Request,
    backend: Asked,
    past: AskedPast,
    own: Own,
    name: str,
    account: Annotated[str, Query()] = "",
    cursor: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """The rows of a query, now or at a past instant."""
    question, after = _question(name), place_of(name, cursor or None)
    wanted = _wanted(request, question)
    only = _only(wanted)
    with backend.connection() as connection:
        at = past.moment(connection)
        found = opener_for(request, backend, connection).answer(
            ask(
                connection,
                question,
                account or None,
                ROWS,
                at,
                after,
                within_of(own),
                only,
            )
        )
    return page(
        request,
        "lists/list.html",
        question=question,
        words=words_of_list(name),
        names=[(each, words_of_list(each)) for each in QUESTIONS],
        shown=table_of(found, {"account": account, **past.query}, only),
        account=account,
        filters=_filters(question, wanted),
        past=past,
    )


@router.get("/lists/{name}/rows.{format_}")
def rows(
    request: Request,
    backend: Asked,
    past: AskedPast,
    own: Own,
    name: str,
    format_: str,
    account: Annotated[str, Query()] = "",
) -> Response:
    """All rows of the list as a file."""
    question = _question(name)
    if format_ not in FORMATS:
        raise Problem(404, "Not found", f"rows come as {', '.join(FORMATS)}, not as {format_!r}")
    with backend.connection() as connection:
        at = past.moment(connection)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{format_}"'}
    return every_row(
        request,
        backend,
        question,
        account or None,
        at,
        FORMATS[format_],
        headers,
        within_of(own),
        _only(_wanted(request, question)),
    )


def _wanted(request: Request, question: Question) -> dict[str, str]:
    """What the address wants the columns to be; the account has a parameter of its own."""
    names = [column.name for column in question.columns]
    asked = request.query_params
    return {name: asked[name].strip() for name in names if asked.get(name, "").strip()}


def _only(wanted: Mapping[str, str]) -> Only:
    return {name: [None if text == NOTHING else text] for name, text in wanted.items()}


def _filters(question: Question, wanted: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """The columns that a form offers, with their words and what was typed: the few that people
    choose by, and whatever the address names.
    """
    names = [column.name for column in question.columns]
    offered = [name for name in names if name in CHOSEN_BY or name in wanted]
    return [(name, words_of(name), wanted.get(name, "")) for name in offered]


def _question(name: str) -> Question:
    if name not in QUESTIONS:
        raise Problem(404, "Not found", f"there is no list {name!r}")
    return QUESTIONS[name]
