"""`/books/report`: a closed period in pictures, each with its figures."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, Response
from msgspec import Struct

from console.terminal.errors import BadInput
from console.terminal.period_options import period
from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.pages.rendering import page
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.languages import N_
from console.web.problems import Problem
from projector.exports.period import BadPeriod
from projector.report.figures import Figures, figures
from projector.report.pictures import Picture, pictures
from projector.report.writing import svg

router = APIRouter(tags=["pages"], include_in_schema=False)
_drawing = threading.Lock()


class Rows(Struct, frozen=True, kw_only=True):
    """Figures of a report as a table: which of its columns are amounts, and which are numbers."""

    title: str
    head: tuple[str, ...]
    money: frozenset[int]
    numbers: frozenset[int]
    rows: tuple[tuple[str, ...], ...]


@router.get("/books/report", dependencies=[Depends(stand)])
def report(
    request: Request,
    backend: Asked,
    since: Annotated[str, Query(alias="from")] = "",
    until: Annotated[str, Query(alias="to")] = "",
) -> HTMLResponse:
    """Refunds by month and rule, use of caps, the recycle bin, and refusals of a period."""
    told, wrong = None, ""
    if since or until:
        try:
            told = _figures(backend, since, until)
        except (BadInput, BadPeriod) as error:
            wrong = str(error.args[0])
    drawn = [] if told is None or not _can_draw() else _drawn(told)
    return page(
        request,
        "books/report.html",
        400 if wrong else 200,
        since=since,
        until=until,
        wrong=wrong,
        told=told,
        pictures=drawn,
        tables=[] if told is None else tables_of(told),
    )


@router.get("/books/report/pictures/{number}")
def picture(
    backend: Asked,
    number: Annotated[int, Path(ge=0, le=100)],
    since: Annotated[str, Query(alias="from")] = "",
    until: Annotated[str, Query(alias="to")] = "",
) -> Response:
    """One picture of the report, as SVG."""
    try:
        told = _figures(backend, since, until)
    except (BadInput, BadPeriod) as error:
        raise Problem(400, "Not possible", str(error.args[0])) from error
    found = pictures(told)
    if not _can_draw() or number >= len(found) or not found[number].bars:
        raise Problem(404, "Not found", f"the report has no picture {number}")
    with _drawing:
        return Response(svg(found[number]), media_type="image/svg+xml")


def tables_of(told: Figures) -> list[Rows]:
    """The figures of a report, each as the views give it."""
    return [
        Rows(
            title=N_("Refunds by month and rule"),
            head=(N_("month"), N_("rule"), N_("amount"), N_("currency"), N_("refunds")),
            money=frozenset({2}),
            numbers=frozenset({2, 4}),
            rows=tuple(
                (each.month, each.rule, f"{each.amount:f}", each.currency, str(each.refunds))
                for each in told.refunded
            ),
        ),
        Rows(
            title=N_("Use of the rolling cap at the end of the period"),
            head=(N_("account"), N_("used usd"), N_("cap usd")),
            money=frozenset({1, 2}),
            numbers=frozenset({1, 2}),
            rows=tuple(
                (each.account_id, f"{each.used_usd:f}", f"{each.cap_usd:f}") for each in told.caps
            ),
        ),
        Rows(
            title=N_("Whole days in the recycle bin at the end of the period"),
            head=(N_("days"), N_("reason"), N_("instances")),
            money=frozenset(),
            numbers=frozenset({0, 2}),
            rows=tuple((str(each.days), each.reason, str(each.instances)) for each in told.binned),
        ),
        Rows(
            title=N_("Rules that refused"),
            head=(N_("rule"), N_("code"), N_("refusals"), N_("accounts")),
            money=frozenset(),
            numbers=frozenset({2, 3}),
            rows=tuple(
                (each.rule, each.code, str(each.refusals), str(each.accounts))
                for each in told.refused
            ),
        ),
    ]


def _figures(backend: Backend, since: str, until: str) -> Figures:
    begins, ends = period(since.strip() or None, until.strip() or None)
    if begins is None or ends is None:
        raise BadInput("write both ends of the period, as 2026-01-01 and 2026-02-01")
    return figures(backend.ledger.database_url, begins, ends)


def _drawn(told: Figures) -> list[tuple[int, Picture]]:
    return [(number, each) for number, each in enumerate(pictures(told)) if each.bars]


def _can_draw() -> bool:
    return find_spec("matplotlib") is not None
