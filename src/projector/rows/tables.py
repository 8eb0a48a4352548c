"""The definition of a read model's table: its columns, types and key."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

Value = str | int | bool | bytes | None
"""The values of a column. Instants are micros, JSON is text, sums are Python integers."""
Row = dict[str, Value]
"""Column name → value. A plain dict, because a hundred thousand are created per second."""
Key = tuple[Value, ...]
"""The values of a table's key columns, in the table's order."""

TEXT: Final = "text"
INTEGER: Final = "integer"
BIGINT: Final = "bigint"
NUMERIC: Final = "numeric"
BOOLEAN: Final = "boolean"
BYTES: Final = "bytea"
JSON: Final = "jsonb"

_NUL, _NUL_SHOWN = "\x00", "\u2400"


class Table(Struct, frozen=True, kw_only=True):
    """A table of the read models. `columns` gives each column's PostgreSQL type, in order."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, str]

    def key_of(self, row: Row) -> Key:
        """The row's key."""
        return tuple([row[column] for column in self.key])


def as_json(value: object) -> str:
    """A value as JSON text for PostgreSQL (which has no U+0000; U+2400 replaces it)."""
    text = msgspec.json.encode(value).decode()
    if "\\u0000" not in text:
        return text
    return msgspec.json.encode(_shown(msgspec.to_builtins(value))).decode()


def storable(value: Value) -> Value:
    """The value for PostgreSQL: U+0000 in a text is replaced by U+2400."""
    if isinstance(value, str) and _NUL in value:
        return value.replace(_NUL, _NUL_SHOWN)
    return value


def _shown(value: object) -> object:
    if isinstance(value, str):
        return value.replace(_NUL, _NUL_SHOWN)
    if isinstance(value, dict):
        return {_shown(key): _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return value
