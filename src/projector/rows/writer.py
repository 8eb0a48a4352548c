"""Writes the merged changes of a batch: COPY for new rows, one array update per set of columns."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import repeat
from typing import Any

from psycopg import Connection, sql
from psycopg.errors import UniqueViolation

from projector.rows.changes import ImpossibleChange, Patch, TableChanges
from projector.rows.tables import (
    BIGINT,
    BOOLEAN,
    BYTES,
    INTEGER,
    JSON,
    NUMERIC,
    TEXT,
    Key,
    Table,
    storable,
)

READ_MODELS = "read_models"
"""The schema of the live tables."""
_TYPES = {
    TEXT: sql.SQL("text"),
    INTEGER: sql.SQL("integer"),
    BIGINT: sql.SQL("bigint"),
    NUMERIC: sql.SQL("numeric"),
    BOOLEAN: sql.SQL("boolean"),
    BYTES: sql.SQL("bytea"),
    JSON: sql.SQL("jsonb"),
}
_NEXT_STEP = "The read models do not belong to this log: start with an empty database"


def write(
    connection: Connection[Any], batch: Iterable[TableChanges], schema: str = READ_MODELS
) -> int:
    """Apply a batch within the caller's transaction; the number of rows touched.

    Raises ImpossibleChange if a row to change does not exist: nothing is lost silently.
    """
    rows = 0
    for of_table in batch:
        if of_table.inserts:
            try:
                rows += _copy(connection, schema, of_table)
            except UniqueViolation as error:
                raise ImpossibleChange(
                    f"{schema}.{of_table.table.name}: a row to insert is already there: "
                    f"{error.diag.message_detail}. {_NEXT_STEP}"
                ) from error
        for columns, amounts, patches in _alike(of_table):
            rows += _update(connection, schema, of_table.table, columns, amounts, patches)
    return rows


def _copy(connection: Connection[Any], schema: str, of_table: TableChanges) -> int:
    table = of_table.table
    names = tuple(table.columns)
    with connection.cursor() as cursor, cursor.copy(_copy_text(schema, table.name, names)) as copy:
        for row in of_table.inserts.values():
            copy.write_row([storable(row[name]) for name in names])
    return len(of_table.inserts)


Shape = tuple[tuple[str, ...], tuple[str, ...]]
"""The columns a patch sets, and the columns it adds to."""


def _alike(
    of_table: TableChanges,
) -> list[tuple[tuple[str, ...], tuple[str, ...], list[tuple[Key, Patch]]]]:
    """The patches, grouped by the columns that they change."""
    groups: dict[Shape, list[tuple[Key, Patch]]] = {}
    for key, patch in of_table.patches.items():
        shape = (tuple(sorted(patch.columns)), tuple(sorted(patch.amounts)))
        groups.setdefault(shape, []).append((key, patch))
    return [(*shape, patches) for shape, patches in groups.items()]


def _update(
    connection: Connection[Any],
    schema: str,
    table: Table,
    columns: tuple[str, ...],
    amounts: tuple[str, ...],
    patches: list[tuple[Key, Patch]],
) -> int:
    arrays = [
        *([storable(key[place]) for key, _ in patches] for place in range(len(table.key))),
        *([storable(patch.columns[name]) for _, patch in patches] for name in columns),
        *([patch.amounts[name] for _, patch in patches] for name in amounts),
    ]
    types = tuple(table.columns[name] for name in (*table.key, *columns, *amounts))
    statement = _update_text(schema, table.name, table.key, columns, amounts, types)
    touched = connection.execute(statement, arrays).rowcount
    if touched != len(patches):
        keys = [key for key, _ in patches][:5]
        raise ImpossibleChange(
            f"{schema}.{table.name}: {len(patches)} rows to change, {touched} are there; the first "
            f"keys: {keys}. {_NEXT_STEP}"
        )
    return touched


@cache
def _copy_text(schema: str, table: str, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(schema, table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )


@cache
def _update_text(
    schema: str,
    table: str,
    key: tuple[str, ...],
    columns: tuple[str, ...],
    amounts: tuple[str, ...],
    types: tuple[str, ...],
) -> sql.Composed:
    names = (*key, *columns, *amounts)
    sets = [
        *(sql.SQL("{0} = d.{0}").format(sql.Identifier(name)) for name in columns),
        *(sql.SQL("{0} = t.{0} + d.{0}").format(sql.Identifier(name)) for name in amounts),
    ]
    return sql.SQL(
        "UPDATE {table} AS t SET {sets} FROM unnest({arrays}) AS d ({names}) WHERE {same}"
    ).format(
        table=sql.Identifier(schema, table),
        sets=sql.SQL(", ").join(sets),
        arrays=sql.SQL(", ").join(
            sql.SQL("{}::{}[]").format(placeholder, _TYPES[kind])
            for placeholder, kind in zip(repeat(sql.Placeholder()), types, strict=False)
        ),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        same=sql.SQL(" AND ").join(
            sql.SQL("t.{0} = d.{0}").format(sql.Identifier(name)) for name in key
        ),
    )
