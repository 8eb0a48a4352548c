"""`GET /v1/NAME`: every query of the read models, now or at a past instant."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from console.web.backend import Backend
from console.web.problems import Problem
from ledger.values.instants import Instant, parse_instant
from projector.asking.queries import (
    Answer,
    Moment,
    as_records,
    ask,
    moment,
    of_columns,
    positions,
)
from projector.questions import QUESTIONS, Question

router = APIRouter(prefix="/v1", tags=["queries"])
MAX_ROWS = 1_000
JSON, LINES, CSV = "application/json", "application/jsonl", "text/csv"


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
        )


def _route(question: Question) -> Any:
    def answer(
        backend: Asked,
        account: Annotated[str | None, Query(description="Only this account's rows.")] = None,
        as_of: Annotated[str | None, Query(description="What had happened by then.")] = None,
        known_at: Annotated[str | None, Query(description="As far as recorded by then.")] = None,
        columns: Annotated[str | None, Query(description="Only these, with commas.")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
        accept: Annotated[str, Header()] = JSON,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        wanted = question if columns is None else of_columns(question, columns.split(","))
        with backend.connection() as connection:
            at = moment(connection, instant_of("as_of", as_of), instant_of("known_at", known_at))
            tag = _tag(positions(connection), at)
            if tag == if_none_match:
                return Response(status_code=304, headers={"ETag": tag})
            found = ask(connection, wanted, account, limit, at)
        return _rendered(found, accept, {"ETag": tag})

    return answer


def instant_of(field: str, text: str | None) -> Instant | None:
    """An instant of a request; a Problem that names the field."""
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise Problem(400, "The request cannot be read", f"{field}: {error}") from error


def _tag(shown: dict[int, int], at: Moment | None) -> str:
    """Changes with the rows: the place of the read models in every partition."""
    place = "-".join(str(shown[partition]) for partition in sorted(shown))
    return f'"{place}"' if at is None else f'"{at.as_of}:{at.known_at}:{place}"'


def _rendered(found: Answer, accept: str, headers: dict[str, str]) -> Response:
    if CSV in accept:
        return Response("".join(_csv(found)), media_type=CSV, headers=headers)
    records = as_records(found)
    if LINES in accept:
        lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records)
        return Response(lines, media_type=LINES, headers=headers)
    body = json.dumps({"rows": records}, ensure_ascii=False)
    return Response(body, media_type=JSON, headers=headers)


def _csv(found: Answer) -> Iterator[str]:
    columns = [column.name for column in found.question.columns]
    for row in (columns, *found.rows):
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerow(_cells(row))
        yield out.getvalue()


def _cells(row: Sequence[Any]) -> list[str]:
    plain = (str, int)
    return [
        "" if cell is None else str(cell) if isinstance(cell, plain) else json.dumps(cell)
        for cell in row
    ]


add_routes()
