"""`GET /v1/NAME`: every query of the read models, now or at a past instant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from console.web.access.guard import Own, caller_of
from console.web.access.own_things import within_of
from console.web.access.texts import may_read_texts, opener_for
from console.web.api.cursors import cursor_of, link_to_next, place_of
from console.web.api.formats import JSON, as_json, as_texts, wanted_format
from console.web.api.openapi import rows_answer
from console.web.backend import Backend
from console.web.problems import Problem
from ledger.values.instants import Instant, parse_instant
from projector.asking.matching import NOTHING_ELSE, Only
from projector.asking.queries import (
    Answer,
    Cell,
    Moment,
    ask,
    ask_for_all,
    moment,
    of_columns,
    positions,
)
from projector.asking.within import Within
from projector.questions import QUESTIONS, Question

router = APIRouter(prefix="/v1", tags=["queries"])
MAX_ROWS, ROWS_OF_A_PAGE = 1_000, 100
_LIMIT = "Rows of a page (100); JSON lines and CSV without it have all rows."
CURSOR = "Where the page begins: what the page before says in `next`, and in its Link header."


def backend_of(request: Request) -> Backend:
    """The backend of the application that answers."""
    backend: Backend = request.app.state.backend
    return backend


Asked = Annotated[Backend, Depends(backend_of)]


def add_routes() -> None:
    """A route for each query."""
    for question in QUESTIONS.values():
        router.add_api_route(
            f"/{question.name}",
            _route(question),
            methods=["GET"],
            name=question.name,
            summary=question.about[:1].upper() + question.about[1:],
            response_class=Response,
            responses={200: rows_answer(question), 304: {"description": "Nothing has changed."}},
        )


def _route(question: Question) -> Any:
    def answer(
        request: Request,
        backend: Asked,
        own: Own,
        account: Annotated[str | None, Query(description="Only this account's rows.")] = None,
        as_of: Annotated[str | None, Query(description="What had happened by then.")] = None,
        known_at: Annotated[str | None, Query(description="As far as recorded by then.")] = None,
        columns: Annotated[str | None, Query(description="Only these, with commas.")] = None,
        limit: Annotated[int | None, Query(ge=1, le=MAX_ROWS, description=_LIMIT)] = None,
        cursor: Annotated[str | None, Query(description=CURSOR)] = None,
        accept: Annotated[str, Header()] = JSON,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        wanted = question if columns is None else of_columns(question, columns.split(","))
        within = within_of(own)
        format_, after = wanted_format(accept), place_of(question.name, cursor)
        with backend.connection() as connection:
            at = moment(connection, instant_of("as_of", as_of), instant_of("known_at", known_at))
            headers: dict[str, str] = {}
            if question.by_events_alone or at is not None:
                headers["ETag"] = _tag(request, positions(connection), at, format_)
                if _names(if_none_match or "", headers["ETag"]):
                    return Response(status_code=304, headers=headers)
            if format_ == JSON or limit is not None or after is not None:
                rows = limit or ROWS_OF_A_PAGE
                found = ask(connection, wanted, account, rows, at, after, within)
                shown = opener_for(request, backend, connection).answer(found)
                return _page(request, shown, at, format_, headers)
        return every_row(request, backend, wanted, account, at, format_, headers, within)

    return answer


def _page(
    request: Request, found: Answer, at: Moment | None, format_: str, headers: dict[str, str]
) -> Response:
    """One page, with a link to the next one if there is one."""
    following = None
    if found.last is not None:
        following = cursor_of(found.question.name, found.last)
        asked = dict(request.query_params)
        headers["Link"] = link_to_next(request.url.path, asked, at, following)
    if format_ == JSON:
        return Response(as_json(found, following), media_type=JSON, headers=headers)
    text = "".join(as_texts(format_, found.question, found.rows))
    return Response(text, media_type=format_, headers=headers)


def every_row(
    request: Request,
    backend: Backend,
    question: Question,
    account: str | None,
    at: Moment | None,
    format_: str,
    headers: dict[str, str],
    within: Within | None,
    only: Only = NOTHING_ELSE,
) -> Response:
    """Every row; what cannot be answered is known before the first of them is sent."""

    def rows() -> Iterator[tuple[Cell, ...]]:
        with backend.connection() as connection:
            opener = opener_for(request, backend, connection)
            for row in ask_for_all(connection, question, account, at, within, only):
                yield from opener.answer(Answer(question=question, rows=(row,))).rows

    found = rows()
    first = list(islice(found, 1))
    texts = as_texts(format_, question, chain(first, found))
    return StreamingResponse(texts, media_type=format_, headers=headers)


def instant_of(field: str, text: str | None) -> Instant | None:
    """An instant of a request; a Problem that names the field."""
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise Problem(400, "The request cannot be read", f"{field}: {error}") from error


def _tag(request: Request, shown: dict[int, int], at: Moment | None, format_: str) -> str:
    """Changes with the rows: the place of the read models in every partition, the format, what who
    asks may see of all rows, and whether free texts are shown. An address names the rest.
    """
    cut = msgspec.json.encode((caller_of(request).own, may_read_texts(request)))
    seen_by = hashlib.sha256(cut).hexdigest()[:32]
    place = "-".join(str(shown[partition]) for partition in sorted(shown))
    kind = f"{format_.rpartition('/')[2]}:{seen_by}"
    return f'"{kind}:{place}"' if at is None else f'"{kind}:{at.as_of}:{at.known_at}:{place}"'


def _names(if_none_match: str, tag: str) -> bool:
    """Whether the header names the tag; a cache on the way may have marked it as weak."""
    named = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return tag in named


add_routes()
