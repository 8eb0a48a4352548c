"""Formats the differences between a read model and the log, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from projector.reconciling.reconcile import Divergence


def divergence_to_json(divergence: Divergence) -> dict[str, Any]:
    """A divergence as one JSON object; an empty side is a missing row."""
    return {
        "view": divergence.view,
        "key": plain(divergence.key),
        "expected": plain(divergence.expected),
        "found": plain(divergence.found),
    }


def divergence_lines(divergence: Divergence) -> list[str]:
    """A divergence in three lines: the row, the expected value, the found value."""
    key = " ".join(str(part) for part in divergence.key)
    sides = (("expected", divergence.expected), ("found", divergence.found))
    return [
        f"{divergence.view}: {key}",
        *(f"  {name:<9} {text(plain(side))}" for name, side in sides),
    ]


def plain(value: Any) -> Any:
    """A row of the database as JSON has it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def text(value: Any) -> str:
    """A key or a row in words."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items()) or "no row"
    return " ".join(value) if isinstance(value, list) else str(value)
