"""The JSON Schema of a command's body, derived from its class as the reader reads it."""

from __future__ import annotations

from typing import Any, assert_never

from msgspec import Struct

from ledger.values.money import CURRENCY_DIGITS
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
from ledger.vocabulary.validation import MAX_COUNT, MAX_ITEMS, MAX_PROSE
from ledger.vocabulary.words import sentence_of
from ledger.wire.json.reading import has_money

Schema = dict[str, Any]
DECIMAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"
AMOUNT: Schema = {
    "description": "A decimal string in the account's currency, or with its currency outright.",
    "anyOf": [
        {"type": "string", "pattern": DECIMAL},
        {
            "type": "object",
            "required": ["amount", "currency"],
            "additionalProperties": False,
            "properties": {
                "amount": {"type": "string", "pattern": DECIMAL},
                "currency": {"$ref": "#/components/schemas/Currency"},
            },
        },
    ],
}
CURRENCY: Schema = {
    "description": "An ISO 4217 code.",
    "type": "string",
    "enum": sorted(CURRENCY_DIGITS),
}


def schemas_of(shape: type[Struct]) -> dict[str, Schema]:
    """The schema of a class and of all records inside it, by the names of the classes."""
    found = {shape.__name__: _object(shape)}
    for field in fields_of(shape):
        kind = field.kind
        while isinstance(kind, Items):
            kind = kind.of
        if isinstance(kind, Record):
            found |= schemas_of(kind.shape)
    return found


def _object(shape: type[Struct]) -> Schema:
    """A class. The currency may be left out where amounts say it, or the account does."""
    told = has_money(shape)
    fields = fields_of(shape)
    required = [
        field.name for field in fields if field.required and not (told and field.name == "currency")
    ]
    properties = {
        field.name: {"description": sentence_of(shape.__name__, field.name)} | _schema(field.kind)
        for field in fields
    }
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return schema | ({"required": required} if required else {})


def _schema(kind: Kind) -> Schema:
    match kind:
        case Text(unit="currency"):
            return {"$ref": "#/components/schemas/Currency"}
        case Text(unit="decimal12"):
            return {"type": "string", "pattern": DECIMAL}
        case Text():
            return {"type": "string", "maxLength": MAX_PROSE}
        case Flag():
            return {"type": "boolean"}
        case Choice(members=members):
            return {"type": "string", "enum": [member.value for member in members]}
        case Number(unit="instant"):
            return {"type": "string", "format": "date-time"}
        case Number(unit="day"):
            return {"type": "string", "format": "date"}
        case Number(unit="usd_cents"):
            return {"type": "string", "pattern": DECIMAL}
        case Number(unit="minor" | "micros"):
            return {"$ref": "#/components/schemas/Amount"}
        case Number():
            return {"type": "integer", "minimum": 0, "maximum": MAX_COUNT}
        case Record(shape=shape):
            return {"$ref": f"#/components/schemas/{shape.__name__}"}
        case Items(of=inner):
            return {"type": "array", "maxItems": MAX_ITEMS, "items": _schema(inner)}
        case Texts() | Digest():
            raise TypeError(f"no command has a {type(kind).__name__}")
        case _:
            assert_never(kind)
