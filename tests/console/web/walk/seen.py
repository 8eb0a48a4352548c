"""What pages ask the database, and how the database would answer it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from psycopg import Connection, Cursor

from console.web.backend import Backend

Statement = tuple[str, Any]
_SEEN: ContextVar[list[Statement] | None] = ContextVar("seen", default=None)
"""A request has the context of whoever sends it, in all threads that answer it; what runs besides
requests has none.
"""


@contextmanager
def statements_of_requests() -> Iterator[list[Statement]]:
    """The statements of the requests that are sent within."""
    seen: list[Statement] = []
    token = _SEEN.set(seen)
    try:
        yield seen
    finally:
        _SEEN.reset(token)


class SeenBackend(Backend):
    """A backend that remembers the statements of its connections, where requests are looked at."""

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """As the backend gives it, with a cursor that remembers."""
        asked = _SEEN.get()
        if asked is None:
            with super().connection() as connection:
                yield connection
            return
        seen: list[Statement] = asked

        class Remembering(Cursor[Any]):
            def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
                text = query.decode() if isinstance(query, bytes) else str(query)
                seen.append((text, params))
                return super().execute(query, params, **more)

        with super().connection() as connection:
            before, connection.cursor_factory = connection.cursor_factory, Remembering
            try:
                yield connection
            finally:
                connection.cursor_factory = before


def whole_scans(connection: Connection[Any], statement: Statement) -> list[str]:
    """The tables that the statement would read from the first row to the last, though the planner
    was asked to do anything else.
    """
    text, values = statement
    connection.execute("SET enable_seqscan = off")
    row = connection.execute(b"EXPLAIN (FORMAT JSON) " + text.encode(), values).fetchone()
    assert row is not None
    return sorted(set(_whole(row[0][0]["Plan"])))


def _whole(node: dict[str, Any]) -> Iterator[str]:
    kind, table = node["Node Type"], node.get("Relation Name", "")
    if kind == "Seq Scan" or (kind.startswith("Index") and "Index Cond" not in node):
        yield table
    for each in node.get("Plans", ()):
        yield from _whole(each)
