"""Compares tables of the same name in two schemas, byte for byte, within the database."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from projector.reconciling.reconcile import Divergence
from projector.rows.tables import Key, Table

_FIRST = """
SELECT {keys} FROM {expected} AS e FULL JOIN {found} AS f USING ({keys})
WHERE e.{first} IS NULL OR f.{first} IS NULL OR (e OPERATOR(pg_catalog.*<>) f)
ORDER BY {keys} LIMIT 1
"""


def first_difference(
    connection: Connection[Any], table: Table, expected: str, found: str
) -> Divergence | None:
    """The first row in order of keys whose bytes differ between two schemas; None if there is
    none.
    """
    key = connection.execute(
        sql.SQL(_FIRST).format(
            keys=sql.SQL(", ").join(map(sql.Identifier, table.key)),
            first=sql.Identifier(table.key[0]),
            expected=sql.Identifier(expected, table.name),
            found=sql.Identifier(found, table.name),
        )
    ).fetchone()
    if key is None:
        return None
    rows = [_row(connection, schema, table, key) for schema in (expected, found)]
    differing = [name for name in (rows[0] or rows[1]) if rows[0].get(name) != rows[1].get(name)]
    whole = not all(rows)
    return Divergence(
        view=table.name,
        key=tuple(key),
        expected={n: v for n, v in rows[0].items() if whole or n in differing},
        found={n: v for n, v in rows[1].items() if whole or n in differing},
    )


def _row(connection: Connection[Any], schema: str, table: Table, key: Key) -> dict[str, Any]:
    where = sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in table.key
    )
    statement = sql.SQL("SELECT * FROM {} WHERE {}")
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement.format(sql.Identifier(schema, table.name), where), key)
        return cursor.fetchone() or {}
