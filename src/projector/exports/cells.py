"""A database value in an extract: exact, and the same on every machine."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ledger.values.instants import format_instant, from_datetime

Cell = str | int | bool | list[str] | None
"""A value of an extract; the column's kind says how to read a text."""


def cell(value: Any) -> Cell:
    """A value as psycopg gives it → a cell. Nothing is rounded, and floats are never used."""
    match value:
        case None | str() | bool() | int():
            return value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return format_instant(from_datetime(value))
        case date():
            return value.isoformat()
        case list():
            return [str(each) for each in value]
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written to an extract")
