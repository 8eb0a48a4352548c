"""Keeps the rows of a query in which columns have given values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from projector.questions import Kind, Question

Only = Mapping[str, Sequence[str | None]]
"""Column → the values of which a row must have one, as text, or None for no value; of an instant
the day in UTC, or the days from one to another, `2026-01-01..2026-01-31`.
"""
NOTHING_ELSE: Only = MappingProxyType({})


class NoSuchValue(ValueError):
    """A value that no row of the column can have; the message says what can be."""


def matching(question: Question, only: Only) -> tuple[list[str], dict[str, Any]]:
    """The conditions, with the values as parameters. Raises NoSuchValue for a day that is none."""
    kinds = {column.name: column.kind for column in question.columns}
    conditions: list[str] = []
    values: dict[str, Any] = {}
    for number, (name, texts) in enumerate(only.items()):
        told = [text for text in texts if text is not None]
        if any("\0" in text for text in told):
            raise NoSuchValue(f"{name}: a text has no character 0")
        either = [f"{name} IS NULL"] if None in texts else []
        if kinds[name] is Kind.INSTANT:
            for place, text in enumerate(told):
                first, until = f"first_{number}_{place}", f"until_{number}_{place}"
                either.append(f"({name} >= %({first})s AND {name} < %({until})s)")
                values[first], values[until] = _days(name, text)
        elif told:
            either.append(f"{name}::text = ANY(%(only_{number})s)")
            values[f"only_{number}"] = told
        conditions.append(f"({' OR '.join(either) or 'false'})")
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
