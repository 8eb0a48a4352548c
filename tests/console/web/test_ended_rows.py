"""What has ended is deleted where new rows are written: a few at a time, found by an index."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from console.web.access import ended_rows, people
from console.web.access.ended_rows import AT_ONCE
from projector.migrations import migrate
from tests.console.web.browser import PASSWORD

Connection = psycopg.Connection[Any]
_SESSIONS = """
INSERT INTO web.sessions (id_digest, name, csrf, ends_at)
SELECT sha256(n::text::bytea), 'emma', '', now() + %s * interval '1 day'
FROM generate_series(1, %s) n
"""
_SIGN_INS = """
INSERT INTO web.sign_ins (browser_digest, state, nonce, verifier, next, ends_at)
SELECT sha256(n::text::bytea), '', '', '', '/', now() + %s * interval '1 day'
FROM generate_series(1, %s) n
"""
TABLES = {
    "web.sessions": (_SESSIONS, ended_rows._SESSIONS),
    "web.sign_ins": (_SIGN_INS, ended_rows._SIGN_INS),
}


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    migrate(database)
    with psycopg.connect(database, autocommit=True) as found:
        people.add(found, "emma", PASSWORD, ["finance"])
        yield found


def count(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_each_new_session_deletes_some_that_ended(connection: Connection) -> None:
    connection.execute(_SESSIONS.encode(), (-1, 2 * AT_ONCE + 1))
    lasting = people.new_session(connection, "emma")
    assert count(connection, "web.sessions") == AT_ONCE + 1 + 1
    people.new_session(connection, "emma")
    people.new_session(connection, "emma")
    assert count(connection, "web.sessions") == 3
    assert people.of_session(connection, lasting) is not None


@pytest.mark.parametrize(
    ("insert", "delete"),
    [
        (_SESSIONS, ended_rows.delete_ended_sessions),
        (_SIGN_INS, ended_rows.delete_ended_sign_ins),
    ],
)
def test_what_another_deletes_already_is_not_waited_for(
    connection: Connection, database: str, insert: str, delete: Callable[[Connection], int]
) -> None:
    connection.execute(insert.encode(), (-1, 2))
    with psycopg.connect(database) as other:
        assert delete(other) == 2
        connection.execute("SET lock_timeout = '1s'")
        assert delete(connection) == 0


@pytest.mark.parametrize("table", TABLES)
def test_what_ended_is_found_without_what_has_not(connection: Connection, table: str) -> None:
    insert, delete = TABLES[table]
    connection.execute(insert.encode(), (1, 20_000))
    connection.execute(f"ANALYZE {table}".encode())
    row = connection.execute(b"EXPLAIN (FORMAT JSON) " + delete.encode(), (AT_ONCE,)).fetchone()
    assert row is not None
    assert "_by_end" in json.dumps(row[0])
    assert "Seq Scan" not in json.dumps(row[0])
