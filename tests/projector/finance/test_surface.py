"""The stable surface: the dictionary is the catalogue's, the queries answer as is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from projector.migrations.reader_role import READER
from tests.projector.golden_queries import FOLDER, QUERIES, answer, fill
from tools.reference.finance import finance_page

RELATIONS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'finance'::regnamespace AND c.relkind IN ('v', 'r')
GROUP BY c.relname ORDER BY c.relname
"""
SILENT = """
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'finance'::regnamespace
    AND obj_description(p.oid, 'pg_proc') IS NULL
"""


@pytest.fixture
def filled(database: str) -> Iterator[Connection[Any]]:
    fill(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"SET ROLE {READER}".encode())
        yield connection


def test_every_query_answers_as_is_written_beside_it(filled: Connection[Any]) -> None:
    for query in QUERIES:
        assert answer(filled, query) == query.with_suffix(".csv").read_text("utf-8"), query.name


def test_every_answer_has_rows_and_every_query_its_line() -> None:
    page = (FOLDER / "README.md").read_text("utf-8")
    for query in QUERIES:
        question = query.read_text("utf-8").partition("\n")[0].removeprefix("-- ")
        assert f"| [{query.name}]({query.name}) | {question} |" in page
        assert len(query.with_suffix(".csv").read_text("utf-8").splitlines()) > 1, query.name


def test_the_dictionary_has_every_view_and_column_of_the_catalogue(migrated: str) -> None:
    page = finance_page()
    with psycopg.connect(migrated) as connection:
        for name, columns in connection.execute(RELATIONS).fetchall():
            section = page.partition(f"### {name}")[2].partition("### ")[0]
            told = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
            assert told == columns, name


def test_every_finance_function_says_what_it_gives(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        assert connection.execute(SILENT).fetchall() == []
