"""The columns of a finance view and their types, from the database catalogue."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct
from psycopg import Connection, sql

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_VIEWS = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = to_regnamespace('finance')
AND c.relkind = 'v' ORDER BY 1
"""


class Kind(StrEnum):
    """The type of a column's cells: text, except for INTEGER, FLAG and TEXTS.

    DECIMAL is a decimal number, INSTANT RFC 3339 in UTC, DAY ISO 8601, JSON a JSON value.
    """

    TEXT = "TEXT"
    DECIMAL = "DECIMAL"
    INTEGER = "INTEGER"
    FLAG = "FLAG"
    INSTANT = "INSTANT"
    DAY = "DAY"
    TEXTS = "TEXTS"
    JSON = "JSON"


_KINDS = {
    "text": Kind.TEXT,
    "numeric": Kind.DECIMAL,
    "bigint": Kind.INTEGER,
    "integer": Kind.INTEGER,
    "boolean": Kind.FLAG,
    "timestamp with time zone": Kind.INSTANT,
    "date": Kind.DAY,
    "text[]": Kind.TEXTS,
    "jsonb": Kind.JSON,
}


class Column(Struct, frozen=True, kw_only=True):
    """A column of an extract."""

    name: str
    kind: Kind

    @property
    def wanted(self) -> sql.Composable:
        """The SQL expression that selects it: JSON as text."""
        name = sql.Identifier(self.name)
        return sql.SQL("{}::text").format(name) if self.kind is Kind.JSON else name

    @property
    def order(self) -> sql.Composable:
        """The SQL expression that orders by it, the same in every database."""
        name = sql.Identifier(self.name)
        texts = (Kind.TEXT, Kind.TEXTS)
        return sql.SQL('{} COLLATE "C"').format(name) if self.kind in texts else name


def views(connection: Connection[Any]) -> list[str]:
    """The names of all finance views."""
    return [name for (name,) in connection.execute(_VIEWS).fetchall()]


def columns_of(connection: Connection[Any], view: str) -> tuple[Column, ...]:
    """The columns of a finance view, without those that depend on the current time (`time_left`):
    they would differ at every call.
    """
    found = connection.execute(_COLUMNS, (f'finance."{view}"',)).fetchall()
    return tuple(
        Column(name=name, kind=_KINDS.get(kind, Kind.TEXT))
        for name, kind in found
        if kind != "interval"
    )
