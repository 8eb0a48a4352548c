"""Stores which read models were filled from the first event on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from psycopg import Connection

from projector.views import View


def unfilled(connection: Connection[Any], views: Sequence[View]) -> tuple[View, ...]:
    """The views that were not filled from the first event on, or had other columns then."""
    known: dict[str, str] = dict(
        connection.execute("SELECT view, definition FROM consumers.filled_views").fetchall()
    )
    return tuple(view for view in views if known.get(view.TABLE.name) != definition(view))


def note(connection: Connection[Any], views: Iterable[View]) -> None:
    """Store within the caller's transaction that these are filled."""
    for view in views:
        connection.execute(
            "INSERT INTO consumers.filled_views (view, definition) VALUES (%s, %s)"
            " ON CONFLICT (view) DO UPDATE SET definition = excluded.definition, filled_at = now()",
            (view.TABLE.name, definition(view)),
        )


def definition(view: View) -> str:
    """A digest of the view's table: its key, its columns and their types."""
    table = view.TABLE
    return sha256(repr((table.name, table.key, sorted(table.columns.items()))).encode()).hexdigest()
