"""JSON lines: one object per row, money and instants as text, so that nothing is rounded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from projector.exports.cells import Cell
from projector.exports.columns import Column, Kind
from projector.exports.extract import Extract


def write(extract: Extract, path: Path, tell: Callable[[int], None]) -> None:
    """The rows in order, their columns in order."""
    with path.open("wb") as file:
        for number, row in enumerate(extract, start=1):
            pairs = zip(extract.columns, row, strict=True)
            record = {column.name: _value(column, cell) for column, cell in pairs}
            file.write(msgspec.json.encode(record) + b"\n")
            tell(number)


def _value(column: Column, cell: Cell) -> Any:
    if column.kind is Kind.JSON and isinstance(cell, str):
        return msgspec.Raw(cell.encode())
    return cell
