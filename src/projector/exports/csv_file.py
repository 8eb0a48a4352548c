"""CSV for spreadsheets and scripts: RFC 4180, UTF-8, and no cell that a spreadsheet would execute.

To read a text cell back, remove one leading apostrophe, if there is one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from projector.exports.cells import Cell
from projector.exports.columns import Column, Kind
from projector.exports.extract import Extract

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_APOSTROPHE = "'"
_EXACT = (Kind.DECIMAL, Kind.INTEGER, Kind.FLAG, Kind.INSTANT, Kind.DAY)


def write(extract: Extract, path: Path, tell: Callable[[int], None]) -> None:
    """A line of names, then a line for each row; a missing value is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in extract.columns])
        for number, row in enumerate(extract, start=1):
            writer.writerow([shown(c, v) for c, v in zip(extract.columns, row, strict=True)])
            tell(number)


def shown(column: Column, value: Cell) -> str:
    """A cell as text. A text that begins like a formula gets a leading apostrophe, as spreadsheets
    write it. So does a text that begins with an apostrophe, so that both can be distinguished.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    if column.kind not in _EXACT and text.startswith((*_STARTS_A_FORMULA, _APOSTROPHE)):
        return f"{_APOSTROPHE}{text}"
    return text
