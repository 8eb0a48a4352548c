"""Makes a full, valid, always equal sample of any command, event or other value."""

from __future__ import annotations

from typing import Any, TypeVar, assert_never

from msgspec import Struct

from ledger.values.instants import DAY, HOUR, parse_day, parse_instant
from ledger.vocabulary.commands import Command
from ledger.vocabulary.envelope import CommandMeta, EventMeta, GivenCommand, RecordedEvent
from ledger.vocabulary.events import Event
from ledger.vocabulary.fields import (
    Choice,
    Digest,
    Field,
    Flag,
    Items,
    Kind,
    Number,
    Record,
    Text,
    Texts,
    fields_of,
)

FIRST_INSTANT = parse_instant("2026-01-05T08:00:00Z")
FIRST_DAY = parse_day("2026-01-05")

T = TypeVar("T", bound=Struct)

_TEXTS: dict[str | None, str] = {"currency": "CNY", "decimal12": "0.88"}
_FIXED: dict[str, Any] = {
    "from_hours": (0, 96),
    "from_months": (1, 6),
    "term_months": (12, 36),
    "delivered_at": (FIRST_INSTANT + 3 * DAY + HOUR,) * 2,
    "returned_quantity": (2, 3),
    "event_id": ("0d9c1f0e-6f3c-8b7a-9a51-000000000001",) * 2,
}
"""What must hold a certain value to be valid: for the first item of a list, and the second."""


def sample(shape: type[T], item: int = 0) -> T:
    """A value with every field set, optional ones too; `item` 1 gives another, equally valid one.

    Lists have two items. Later instants and days of one value lie after the earlier ones.
    """
    values = {
        field.name: _value(field, item, place) for place, field in enumerate(fields_of(shape))
    }
    return shape(**values)


def sample_command(body: type[Command]) -> GivenCommand:
    """A command with every field set."""
    return GivenCommand(meta=sample(CommandMeta), body=sample(body))


def sample_event(body: type[Event]) -> RecordedEvent:
    """An event with every field set."""
    return RecordedEvent(meta=sample(EventMeta), body=sample(body))


def _value(field: Field, item: int, place: int) -> object:
    if field.name in _FIXED:
        return _FIXED[field.name][item]
    return _of_kind(field.kind, field.name, item, place)


def _of_kind(kind: Kind, name: str, item: int, place: int) -> object:
    match kind:
        case Text(unit=unit):
            return _TEXTS.get(unit, f"{name.removesuffix('_id').replace('_', '-')}-{item + 1}")
        case Number(unit="instant"):
            return FIRST_INSTANT + place * DAY
        case Number(unit="day"):
            return FIRST_DAY + place
        case Number(unit="minor") if name == "refunded":
            return 5_000 * (item + 1)
        case Number(unit=unit):
            return (10_000 if unit else 1) * (item + 1) + place
        case Flag():
            return True
        case Digest():
            return bytes([place]) * 32
        case Choice(members=members):
            return list(members)[item]
        case Record(shape=shape):
            return sample(shape, item)
        case Items(of=inner):
            return tuple(_of_kind(inner, name, index, place) for index in (0, 1))
        case Texts():
            return {f"{name}-b": "2.50", f"{name}-a": "1.25"}
        case _:
            assert_never(kind)
