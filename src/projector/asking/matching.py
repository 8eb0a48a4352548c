"""Keeps the rows of a query in which columns have given values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from projector.questions import Kind, Question

NOTHING = "-"
Wanted = Mapping[str, str]
"""Column → its value as text, or - for none; of an instant the day in UTC, or the days from one to
another, `2026-01-01..2026-01-31`.
"""


class NoSuchValue(ValueError):
    """A value that no row of the column can have; the message says what can be."""


def matching(question: Question, wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    """The conditions, with the values as parameters. Raises NoSuchValue for a day that is none."""
    columns = {column.name: column for column in question.columns}
    conditions: list[str] = []
    values: dict[str, Any] = {}
    for number, (name, text) in enumerate(wanted.items()):
        if "\0" in text:
            raise NoSuchValue(f"{name}: a text has no character 0")
        if text == NOTHING:
            conditions.append(f"{name} IS NULL")
        elif columns[name].kind is Kind.INSTANT:
            first, until = f"first_{number}", f"until_{number}"
            conditions.append(f"{name} >= %({first})s AND {name} < %({until})s")
            values[first], values[until] = _days(name, text)
        else:
            conditions.append(f"{name}::text = %(wanted_{number})s")
            values[f"wanted_{number}"] = text
    return conditions, values


def _days(name: str, text: str) -> tuple[datetime, datetime]:
    """From the first instant of the first day to that after the last day."""
    first, _, last = text.partition("..")
    try:
        begins, ends = (
            datetime.combine(date.fromisoformat(day), time(), UTC) for day in (first, last or first)
        )
        return begins, ends + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise NoSuchValue(
            f"{name}: {text!r} is neither a day such as 2026-01-31 nor two with .. between"
        ) from error
