"""Derives the Avro schema of every command and event from its class, and writes the files.

`python -m ledger.wire.avro.schema_derivation` (`make schemas`) updates `schemas/`. A file that is
listed in `schemas/released.toml` is frozen: if its class differs, the next version is written.
"""

from __future__ import annotations

import json
import sys
import tomllib
from argparse import ArgumentParser
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, assert_never

from msgspec import NODEFAULT, Struct

from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import CommandMeta, EventMeta
from ledger.vocabulary.events import EVENTS
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
from ledger.wire.avro.schema_compatibility import breaches
from ledger.wire.avro.schema_files import Family, schema_file, schema_root, versions_of

Schema = dict[str, Any]

UNKNOWN = "UNKNOWN"
"""The default symbol of every enum; it is not a member of ours, so decoding it fails."""

NUMBERS: dict[str | None, str | Schema] = {
    None: "long",
    "minor": "long",
    "micros": "long",
    "usd_cents": "long",
    "instant": {"type": "long", "logicalType": "timestamp-micros"},
    "day": {"type": "int", "logicalType": "date"},
}
DOCS: dict[str | None, str] = {
    "minor": "minor units of `currency`",
    "micros": "millionths of one unit of `currency`",
    "usd_cents": "US cents",
    "currency": "ISO 4217 letter code",
    "decimal12": "exact decimal number, at most 12 decimals",
}


def vocabulary(family: Family) -> dict[str, type[Struct]]:
    """Every command or event class by its name."""
    return {**(COMMANDS if family is Family.COMMANDS else EVENTS)}


def derive(family: Family, body: type[Struct]) -> Schema:
    """The record schema of a command or event: first its meta, then the body's fields in order.

    Raises TypeError for a field whose type is not in the contract.
    """
    meta = CommandMeta if family is Family.COMMANDS else EventMeta
    known: set[str] = set()
    first = {"name": "meta", "type": _record(meta, known)}
    return {
        "type": "record",
        "name": body.__name__,
        "namespace": f"refunds.{family}",
        "fields": [first, *(_field(field, known) for field in fields_of(body))],
    }


def as_text(schema: Schema) -> str:
    """The file's text, always the same for the same schema."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def released_digests(root: Path) -> dict[str, str]:
    """`events/InstanceIsolated/1` → SHA-256 of the frozen file, from `released.toml`."""
    listed = tomllib.loads((root / "released.toml").read_text())
    return {str(name): str(digest) for name, digest in listed["digests"].items()}


def write_schemas(root: Path) -> list[Path]:
    """Write the files that differ from the classes; returns the files written.

    ValueError if a released file was changed, or a new version breaks readers of an older one.
    """
    released = released_digests(root)
    for name, digest in released.items():
        if sha256((root / f"{name}.avsc").read_bytes()).hexdigest() != digest:
            raise ValueError(f"{name}.avsc is released and was changed: restore it")
    written = [
        _write(root, family, name, body, released)
        for family in Family
        for name, body in vocabulary(family).items()
    ]
    return [path for path in written if path is not None]


def _write(
    root: Path, family: Family, name: str, body: type[Struct], released: dict[str, str]
) -> Path | None:
    schema = derive(family, body)
    versions = versions_of(root, family, name)
    newest = max(versions, default=1)
    path = schema_file(root, family, name, newest)
    if path.exists() and path.read_text() == as_text(schema):
        return None
    if f"{family}/{name}/{newest}" in released:
        path = schema_file(root, family, name, newest + 1)
    frozen = [version for version in versions if f"{family}/{name}/{version}" in released]
    for version in frozen:
        older = json.loads(schema_file(root, family, name, version).read_text())
        if found := breaches(older, schema):
            raise ValueError(f"{name} cannot follow version {version}: {'; '.join(found)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_text(schema))
    return path


def _record(shape: type[Struct], known: set[str]) -> Schema | str:
    if shape.__name__ in known:
        return shape.__name__
    known.add(shape.__name__)
    fields = [_field(field, known) for field in fields_of(shape)]
    return {"type": "record", "name": shape.__name__, "fields": fields}


def _enum(members: type[StrEnum], known: set[str]) -> Schema | str:
    if members.__name__ in known:
        return members.__name__
    known.add(members.__name__)
    symbols = [UNKNOWN, *(member.value for member in members)]
    return {"type": "enum", "name": members.__name__, "symbols": symbols, "default": UNKNOWN}


def _digest(known: set[str]) -> Schema | str:
    if "Sha256" in known:
        return "Sha256"
    known.add("Sha256")
    return {"type": "fixed", "name": "Sha256", "size": 32}


def _field(field: Field, known: set[str]) -> Schema:
    kind = _type(field.kind, known)
    derived: Schema = {"name": field.name, "type": ["null", kind] if field.optional else kind}
    if field.default is not NODEFAULT:
        derived["default"] = _default(field)
    if isinstance(field.kind, Text | Number) and field.kind.unit in DOCS:
        derived["doc"] = DOCS[field.kind.unit]
    return derived


def _default(field: Field) -> object:
    if field.default == () and isinstance(field.default, tuple):
        return []
    if field.default is None or type(field.default) in {bool, int, str}:
        return field.default
    raise TypeError(f"{field.name}: {field.default!r} cannot be a default")


def _type(kind: Kind, known: set[str]) -> str | Schema:
    match kind:
        case Text():
            return "string"
        case Number(unit=unit):
            return NUMBERS[unit]
        case Flag():
            return "boolean"
        case Digest():
            return _digest(known)
        case Choice(members=members):
            return _enum(members, known)
        case Record(shape=shape):
            return _record(shape, known)
        case Items(of=item):
            return {"type": "array", "items": _type(item, known)}
        case Texts():
            return {"type": "map", "values": "string"}
        case _:
            assert_never(kind)


if __name__ == "__main__":
    ArgumentParser(description=__doc__).parse_args()
    for changed in write_schemas(schema_root()):
        sys.stdout.write(f"wrote {changed}\n")
