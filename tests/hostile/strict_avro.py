"""A reader of Avro that takes nothing but the one shortest encoding, written by the specification.

It shares no code with the ledger's codec and none with the library behind it, so that whether bytes
are a command can be judged twice. Blocks with a size before them, overlong numbers and bytes left
over are all refused. `numbers` notes where each number stands, for who wants to damage one.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.house.tree import ROOT

_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
_POLYNOMIAL = 0xC15D213AA4D7A795


class NotStrict(Exception):
    """The bytes are not the one encoding of anything that the schema describes."""


class Reading:
    """A body, how far it has been read, and where its numbers begin and end."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        self.numbers: list[tuple[int, int]] = []

    def whole(self, schema: Any) -> Any:
        """The value, if the bytes are exactly its encoding."""
        value = self._value(schema, {})
        if self.at != len(self.body):
            raise NotStrict(f"{len(self.body) - self.at} bytes left over")
        return value

    def _value(self, schema: Any, named: dict[str, Any]) -> Any:
        if isinstance(schema, list):
            return self._value(schema[self._index(len(schema))], named)
        if isinstance(schema, str):
            return self._primitive(schema) if schema in _PRIMITIVES else self._named(schema, named)
        kind = schema["type"]
        if isinstance(kind, list | dict):
            return self._value(kind, named)
        if kind in ("record", "enum", "fixed"):
            named[schema["name"]] = schema
            return self._complex(schema, named)
        if kind in ("array", "map"):
            return self._items(schema, named)
        return self._primitive(kind)

    def _named(self, name: str, named: dict[str, Any]) -> Any:
        return self._complex(named[name.rpartition(".")[2]], named)

    def _complex(self, schema: Any, named: dict[str, Any]) -> Any:
        if schema["type"] == "record":
            return {each["name"]: self._value(each["type"], named) for each in schema["fields"]}
        if schema["type"] == "enum":
            return schema["symbols"][self._index(len(schema["symbols"]))]
        return self._bytes(schema["size"])

    def _items(self, schema: Any, named: dict[str, Any]) -> Any:
        """All in one block, if there are any, as the codec writes them."""
        count = self._number()
        if count < 0:
            raise NotStrict("a block with its size")
        found = []
        for _ in range(count):
            key = self._primitive("string") if schema["type"] == "map" else ""
            found.append((key, self._value(schema.get("items", schema.get("values")), named)))
        if count and self._number() != 0:
            raise NotStrict("a second block")
        if schema["type"] == "array":
            return [value for _, value in found]
        if len(dict(found)) != len(found):
            raise NotStrict("a key twice")
        return dict(found)

    def _primitive(self, kind: str) -> Any:
        match kind:
            case "null":
                return None
            case "boolean":
                byte = self._bytes(1)[0]
                if byte > 1:
                    raise NotStrict(f"boolean {byte}")
                return byte == 1
            case "int" | "long":
                return self._number()
            case "bytes":
                return self._bytes(self._number())
            case "string":
                try:
                    return self._bytes(self._number()).decode()
                except UnicodeDecodeError as error:
                    raise NotStrict(str(error)) from error
        raise AssertionError(f"no schema of ours has {kind}")

    def _index(self, count: int) -> int:
        index = self._number()
        if not 0 <= index < count:
            raise NotStrict(f"index {index} of {count}")
        return index

    def _number(self) -> int:
        start, shift, read = self.at, 0, 0
        while True:
            byte = self._bytes(1)[0]
            read |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        value = (read >> 1) ^ -(read & 1)
        if (byte == 0 and shift > 7) or not _LEAST <= value <= _MOST:
            raise NotStrict(f"an overlong number at {start}")
        self.numbers.append((start, self.at))
        return value

    def _bytes(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.body):
            raise NotStrict(f"{count} bytes at {self.at} of {len(self.body)}")
        found = self.body[self.at : self.at + count]
        self.at += count
        return found


@cache
def command_schemas() -> dict[bytes, tuple[str, Any]]:
    """Name and schema of every version of every command, by its frame."""
    found = {}
    for file in sorted((ROOT / "schemas" / "commands").glob("*/*.avsc")):
        schema = json.loads(file.read_text(encoding="utf-8"))
        found[b"\xc3\x01" + fingerprint(schema).to_bytes(8, "little")] = (_name(file), schema)
    return found


def fingerprint(schema: Any) -> int:
    """CRC-64-AVRO of the parsing canonical form, bit by bit as the specification has it."""
    text = json.dumps(_canonical(schema, ""), separators=(",", ":"), ensure_ascii=False)
    value = _POLYNOMIAL
    for byte in text.encode():
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL & -(value & 1))
    return value


def _canonical(schema: Any, namespace: str) -> Any:
    """Names in full, without what only people or programs beyond the bytes care for."""
    if isinstance(schema, list):
        return [_canonical(each, namespace) for each in schema]
    if isinstance(schema, str):
        return schema if schema in _PRIMITIVES or "." in schema else _full(schema, namespace)
    kind = schema["type"]
    if kind not in ("record", "enum", "fixed", "array", "map"):
        return _canonical(kind, namespace)
    namespace = schema.get("namespace", namespace)
    told: dict[str, Any] = {}
    if "name" in schema:
        told["name"] = _full(schema["name"], namespace)
    told["type"] = kind
    if "fields" in schema:
        told["fields"] = [
            {"name": each["name"], "type": _canonical(each["type"], namespace)}
            for each in schema["fields"]
        ]
    for key in ("symbols", "size"):
        if key in schema:
            told[key] = schema[key]
    for key in ("items", "values"):
        if key in schema:
            told[key] = _canonical(schema[key], namespace)
    return told


def _full(name: str, namespace: str) -> str:
    return f"{namespace}.{name}" if namespace and "." not in name else name


def _name(file: Path) -> str:
    return file.parent.name


_PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
