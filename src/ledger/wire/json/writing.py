"""Writes values as plain JSON: money as decimal strings, instants RFC 3339, days ISO 8601."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, assert_never

from msgspec import Struct

from ledger.values.instants import format_day, format_instant
from ledger.values.money import Currency, format_micros, format_minor
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.fields import (
    Choice,
    Digest,
    Flag,
    Items,
    Kind,
    Number,
    Record,
    Text,
    Texts,
    fields_of,
)

Write = Callable[[Any, Currency], Any]
"""A value and the currency of its amounts → a value for `json.dumps`."""


def event_to_json(event: RecordedEvent) -> dict[str, Any]:
    """An event as `simulate` prints it; `at` is the deciding instant."""
    meta = event.meta
    return {
        "at": format_instant(meta.recorded_at),
        "event": event.name,
        "id": meta.event_id,
        "account": meta.account_id,
        "sequence": meta.sequence,
        "causation_id": meta.causation_id,
        "body": value_to_json(event.body),
    }


def value_to_json(value: Struct, currency: Currency = "") -> dict[str, Any]:
    """A value's fields as JSON, without absent ones.

    Amounts are in the value's own `currency` if it has one, otherwise in the given one. ValueError
    if there is an amount but no currency.
    """
    own = getattr(value, "currency", None)
    written: dict[str, Any] = _record(type(value))(value, own or currency)
    return written


@cache
def _record(shape: type[Struct]) -> Write:
    writes = tuple((field.name, _of_kind(field.kind)) for field in fields_of(shape))

    def write(value: Any, currency: Currency) -> dict[str, Any]:
        return {
            name: write_part(part, currency)
            for name, write_part in writes
            if (part := getattr(value, name)) is not None
        }

    return write


def _of_kind(kind: Kind) -> Write:
    match kind:
        case Text() | Flag() | Texts():
            return lambda value, _: value
        case Choice():
            return lambda value, _: value.value
        case Digest():
            return lambda value, _: value.hex()
        case Number(unit=unit):
            return _number(unit)
        case Record(shape=shape):
            return _record(shape)
        case Items(of=inner):
            each = _of_kind(inner)
            return lambda values, currency: [each(value, currency) for value in values]
        case _:
            assert_never(kind)


def _number(unit: str | None) -> Write:
    match unit:
        case "minor":
            return format_minor
        case "micros":
            return format_micros
        case "usd_cents":
            return lambda value, _: format_minor(value, "USD")
        case "instant":
            return lambda value, _: format_instant(value)
        case "day":
            return lambda value, _: format_day(value)
        case _:
            return lambda value, _: value
