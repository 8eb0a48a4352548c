"""Lays a value in JSON out as fields: each with its whole name, and its text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def fields_of(value: Any) -> list[tuple[str, str]]:
    """`{"paid": {"cash": "1.00"}}` → `[("paid.cash", "1.00")]`; parts of lists have numbers."""
    return list(_fields(value, ""))


def _fields(value: Any, name: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict() if value:
            for key, part in value.items():
                yield from _fields(part, f"{name}.{key}".lstrip("."))
        case list() if value:
            for number, part in enumerate(value):
                yield from _fields(part, f"{name}[{number}]")
        case bool():
            yield name, "true" if value else "false"
        case dict() | list():
            yield name, ""
        case _:
            yield name, str(value)
