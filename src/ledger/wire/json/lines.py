"""Splits a file of JSON lines into objects, strictly: no duplicate keys, no NaN."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any

from msgspec import Struct

from ledger.values.wording import Wording, seen, worded

MAX_LINE_BYTES = 1_000_000
"""A longer line would not fit into one record."""

_BOM = b"\xef\xbb\xbf"
_READ_BYTES = MAX_LINE_BYTES + 16
"""Enough to see that a line is too long."""


class JsonLine(Struct, frozen=True, kw_only=True):
    """One line: its number from 1, and its object or its error."""

    number: int
    value: dict[str, Any] | None
    found: str = ""
    expected: Wording = Wording("")


class _DuplicateKey(Exception):
    """An object has a key twice."""


def json_lines(content: bytes) -> Iterator[JsonLine]:
    """Every line that is not blank. A byte order mark and CRLF line ends are allowed."""
    return json_lines_of(BytesIO(content))


def json_lines_of(file: IO[bytes]) -> Iterator[JsonLine]:
    """The same of an open file, from its beginning, without ever holding more than one line."""
    file.seek(len(_BOM) if file.read(len(_BOM)) == _BOM else 0)
    number = 0
    while piece := file.readline(_READ_BYTES):
        number += 1
        length = len(piece)
        rest = piece
        while not rest.endswith(b"\n") and (rest := file.readline(_READ_BYTES)):
            length += len(rest)
        line = piece.rstrip(b"\r\n")
        if length > _READ_BYTES or len(line) > MAX_LINE_BYTES:
            yield _wrong(
                number,
                seen("{length} bytes", length=length),
                worded("a line of at most {most} bytes", most=MAX_LINE_BYTES),
            )
        elif line.strip():
            yield _read(number, line)


def _read(number: int, line: bytes) -> JsonLine:
    try:
        text = line.decode()
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        byte, place = f"{line[error.start]:#04x}", error.start + 1
        found = seen("byte {byte} at {place}", byte=byte, place=place)
        return _wrong(number, found, worded("UTF-8 text"))
    except json.JSONDecodeError as error:
        near = text[error.pos : error.pos + 20]
        found = f"{error.msg} at column {error.colno}" + (f", near {near!r}" if near else "")
        return _wrong(number, found, worded("one JSON object"))
    except _DuplicateKey as error:
        found = seen("the key {key} twice", key=repr(error.args[0]))
        return _wrong(number, found, worded("each key once in an object"))
    except (ValueError, RecursionError) as error:
        return _wrong(number, str(error)[:80], worded("one JSON object of plain values"))
    if not isinstance(value, dict):
        return _wrong(number, text[:60], worded("one JSON object"))
    return JsonLine(number=number, value=value)


def _wrong(number: int, found: str, expected: Wording) -> JsonLine:
    return JsonLine(number=number, value=None, found=found, expected=expected)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        times = Counter(name for name, _ in pairs)
        raise _DuplicateKey(next(name for name in times if times[name] > 1))
    return made


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
