"""Splits a file of JSON lines into objects, strictly: no duplicate keys, no NaN."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

MAX_LINE_BYTES = 1_000_000
"""A longer line would not fit into one record."""

_BOM = b"\xef\xbb\xbf"


class JsonLine(Struct, frozen=True, kw_only=True):
    """One line: its number from 1, and its object or its error."""

    number: int
    value: dict[str, Any] | None
    found: str = ""
    expected: str = ""


class _DuplicateKey(Exception):
    """An object has a key twice."""


def json_lines(content: bytes) -> Iterator[JsonLine]:
    """Every line that is not blank. A byte order mark and CRLF line ends are allowed."""
    for number, line in enumerate(content.removeprefix(_BOM).split(b"\n"), start=1):
        if line.strip():
            yield _read(number, line.rstrip(b"\r"))


def _read(number: int, line: bytes) -> JsonLine:
    if len(line) > MAX_LINE_BYTES:
        return _wrong(number, f"{len(line)} bytes", f"a line of at most {MAX_LINE_BYTES} bytes")
    try:
        text = line.decode()
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        return _wrong(number, f"byte {line[error.start]:#04x} at {error.start + 1}", "UTF-8 text")
    except json.JSONDecodeError as error:
        near = text[error.pos : error.pos + 20]
        found = f"{error.msg} at column {error.colno}" + (f", near {near!r}" if near else "")
        return _wrong(number, found, "one JSON object")
    except _DuplicateKey as error:
        return _wrong(number, f"the key {error.args[0]!r} twice", "each key once in an object")
    except (ValueError, RecursionError) as error:
        return _wrong(number, str(error)[:80], "one JSON object of plain values")
    if not isinstance(value, dict):
        return _wrong(number, text[:60], "one JSON object")
    return JsonLine(number=number, value=value)


def _wrong(number: int, found: str, expected: str) -> JsonLine:
    return JsonLine(number=number, value=None, found=found, expected=expected)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _DuplicateKey(next(name for name in names if names.count(name) > 1))
    return made


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
