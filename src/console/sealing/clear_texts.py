"""Counts the texts of an account that were never sealed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from ledger.vocabulary.events import EVENTS
from ledger.vocabulary.sealing import ERASED, FORM, text_fields

_CLEAR = """
SELECT count(DISTINCT command_id) FROM finance.events
JOIN unnest(%s::text[], %s::text[]) AS text (event, field)
    ON event_name = text.event
WHERE account_id = %s AND coalesce(body ->> text.field, '') NOT IN ('', %s)
    AND body ->> text.field !~ %s
"""


def clear_texts_recorded(connection: Connection[Any], account_id: str) -> int:
    """How many commands gave one: a command has at most one, and several events may repeat it."""
    places = list(_places())
    events, fields = [event for event, _ in places], [field for _, field in places]
    values = (events, fields, account_id, ERASED, f"^{FORM}$")
    row = connection.execute(_CLEAR, values).fetchone()
    assert row is not None
    return int(row[0])


def _places() -> Iterator[tuple[str, str]]:
    """The events and their fields that have free texts."""
    for name, kind in EVENTS.items():
        for field in text_fields(kind):
            yield name, field
