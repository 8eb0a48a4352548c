"""Renders a page: its template, who looks at it, and where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.rendering.reports.answers import cell_text
from console.web.access.guard import Caller
from projector.asking.queries import Answer, Cell
from projector.questions import Column, Kind

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
NUMBERS = frozenset({Kind.MONEY, Kind.NUMBER, Kind.SPAN})


def page(request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
    """The page of a template. Every page knows its path and who looks at it."""
    caller: Caller | None = getattr(request.state, "caller", None)
    text = _ENVIRONMENT.get_template(template).render(
        path=request.url.path, caller=caller, **values
    )
    return HTMLResponse(text, status)


def table_of(answer: Answer) -> dict[str, Any]:
    """An answer as a template shows it: columns with their names, rows of texts."""
    columns = answer.question.columns
    return {
        "columns": [
            {"name": each.name.replace("_", " "), "number": each.kind in NUMBERS}
            for each in columns
        ],
        "rows": [
            [_cell(column, cell) for column, cell in zip(columns, row, strict=True)]
            for row in answer.rows
        ],
    }


def _cell(column: Column, cell: Cell) -> dict[str, Any]:
    link = None
    if column.name == "account_id" and isinstance(cell, str):
        link = f"/accounts/{quote(cell, safe='')}"
    number = column.kind in NUMBERS
    return {"text": cell_text(column, cell), "number": number, "link": link}


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n"],
)
_ENVIRONMENT.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
