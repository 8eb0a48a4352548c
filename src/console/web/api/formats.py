"""Rows as JSON, as JSON lines or as CSV, by what is asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from projector.asking.queries import Answer, Cell, as_records
from projector.questions import Question

JSON, LINES, CSV = "application/json", "application/jsonl", "text/csv"


def wanted_format(accept: str) -> str:
    """The first of the three that the header names; JSON where it names none."""
    places = {accept.find(each): each for each in (JSON, LINES, CSV) if each in accept}
    return places[min(places)] if places else JSON


def as_json(found: Answer, next_cursor: str | None) -> str:
    """A page as one object."""
    page = {"rows": as_records(found), "next": next_cursor}
    return json.dumps(page, ensure_ascii=False)


def as_texts(format_: str, question: Question, rows: Iterable[tuple[Cell, ...]]) -> Iterator[str]:
    """JSON lines, CSV with a head, or all rows as a page of JSON; a row at a time."""
    names = [column.name for column in question.columns]
    if format_ == CSV:
        yield _line(names)
        yield from map(_line, rows)
        return
    records = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows)
    if format_ == LINES:
        yield from (f"{record}\n" for record in records)
        return
    yield '{"rows": ['
    yield from (f"{', ' if number else ''}{record}" for number, record in enumerate(records))
    yield '], "next": null}'


def _line(row: Sequence[Cell]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(map(_cell, row))
    return out.getvalue()


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return str(cell) if isinstance(cell, str | int) else json.dumps(cell, ensure_ascii=False)
