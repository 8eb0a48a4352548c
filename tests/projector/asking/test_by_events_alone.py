"""A query says whether its rows change by events alone, as the views in the database show."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from projector.migrations import migrate
from projector.questions import QUESTIONS

MOVE_BY_THEMSELVES = {
    "finance.now",
    "finance.terms",
    "finance.fiscal_year",
    "consumers.horizons",
}
"""The present, and the tables that are written without an event."""
_TEXTS = """
SELECT 'finance.' || relname, pg_get_viewdef(oid) FROM pg_class
WHERE relnamespace = 'finance'::regnamespace AND relkind = 'v'
UNION ALL
SELECT 'finance.' || proname, prosrc FROM pg_proc WHERE pronamespace = 'finance'::regnamespace
"""


def used(name: str, texts: dict[str, str], found: set[str]) -> set[str]:
    """The views, functions and tables that one of them reads, itself among them."""
    if name not in found:
        found.add(name)
        if name not in MOVE_BY_THEMSELVES:
            for each in re.findall(r"\b(?:finance|consumers)\.\w+", texts.get(name, "")):
                used(each, texts, found)
    return found


def test_a_query_says_whether_its_rows_change_by_events_alone(database: str) -> None:
    migrate(database)
    with psycopg.connect(database) as connection:
        texts: dict[str, Any] = dict(connection.execute(_TEXTS).fetchall())
    for name, question in QUESTIONS.items():
        read = " ".join((question.view, *question.expressions.values()))
        names = re.findall(r"\b(?:finance|consumers)\.\w+", read)
        every = set[str]().union(*(used(each, texts, set()) for each in names))
        moves = every & MOVE_BY_THEMSELVES
        assert question.by_events_alone is not bool(moves), (name, moves)
