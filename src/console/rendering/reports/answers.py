"""Answers of the read models as tables for people."""

from __future__ import annotations

import json

from rich.table import Table

from projector.asking.queries import Answer, Cell
from projector.questions import Column, Kind

_RIGHT = (Kind.MONEY, Kind.NUMBER, Kind.SPAN)
_LONG_IDS = ("_id", "_ids", "digest")


def answer_table(answer: Answer, *columns: str) -> Table:
    """An answer as a table, with all columns except long JSON ones, or with the named columns."""
    table = Table(box=None, pad_edge=False, title_justify="left", header_style="bold")
    shown = [
        (place, column)
        for place, column in enumerate(answer.question.columns)
        if (column.name in columns if columns else column.kind is not Kind.JSON)
        and any(row[place] is not None for row in answer.rows)
    ]
    if not answer.rows:
        table.add_column(f"{answer.question.name}: no rows")
        return table
    for _, column in shown:
        table.add_column(
            column.name.replace("_", " "),
            justify="right" if column.kind in _RIGHT else "left",
            overflow="fold",
        )
    for row in answer.rows:
        table.add_row(*(cell_text(column, row[place]) for place, column in shown))
    return table


def cell_text(column: Column, cell: Cell) -> str:
    """A value as text; long ids are shortened, since `--json` shows them in full."""
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case tuple():
            return ", ".join(cell)
        case dict() | list():
            return json.dumps(cell, ensure_ascii=False)
        case int() if column.kind is Kind.SPAN:
            return _span(cell)
        case str() if column.kind is Kind.INSTANT:
            return cell.replace("T", " ").removesuffix("Z")
        case str() if column.name.endswith(_LONG_IDS) and len(cell) > 32:
            return f"{cell[:8]}…"
        case _:
            return str(cell)


def _span(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h {minutes} min"
