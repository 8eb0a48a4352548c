"""The rows of a read model, slice after slice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from projector.reconciling.account_slices import Slices
from projector.rows.tables import Table

_FETCHED_ROWS = 500
_NUMBER = "number of the slice"


class StoredRows:
    """A table's rows. The database sorts them by slice, on its disk where they are many."""

    def __init__(
        self, connection: Connection[Any], schema: str, table: Table, slices: Slices
    ) -> None:
        name = sql.Identifier(_NUMBER)
        statement = sql.SQL("SELECT *, {} AS {} FROM {} ORDER BY {}").format(
            slices.number_of_row, name, sql.Identifier(schema, table.name), name
        )
        self.table = table
        self._cursor = connection.cursor(name=f"reconcile {table.name}", row_factory=dict_row)
        self._cursor.itersize = _FETCHED_ROWS
        self._rows = iter(self._cursor.execute(statement))
        self._next = next(self._rows, None)

    def of(self, number: int) -> Iterator[dict[str, Any]]:
        """The rows of that slice; to be asked for in the order of the numbers, each once."""
        while self._next is not None and self._next[_NUMBER] == number:
            row = self._next
            del row[_NUMBER]
            yield row
            self._next = next(self._rows, None)

    def close(self) -> None:
        """Let go of the database's cursor."""
        self._cursor.close()
