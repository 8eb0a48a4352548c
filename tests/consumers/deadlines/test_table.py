"""The deadlines in Postgres: put, sent, put back because they came too early, and off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from consumers.deadlines.schedule import (
    CancelDeadline,
    DeadlineChange,
    DestroyKeys,
    PutDeadline,
    SendAgain,
    attempt_id,
)
from consumers.deadlines.table import DeadlineTable
from projector.migrations import migrate
from tests.consumers.deadlines.test_schedule import put_by, story

pytestmark = pytest.mark.integration


@pytest.fixture
def connection(database: str) -> Iterator[Connection[Any]]:
    migrate(database)
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def kept(table: DeadlineTable, *changes: DeadlineChange) -> None:
    table.keep([(0, change) for change in changes], {0: 7}, "topic-1")


def the_deadline() -> PutDeadline:
    (put,) = put_by(story().recorded[-1])
    return put


def due(table: DeadlineTable) -> list[tuple[str, int]]:
    found = table.due(the_deadline().due_at, 10, released=False)
    return [(each.deadline_id, each.attempt) for each in found]


def test_what_was_sent_is_due_no_more(connection: Connection[Any]) -> None:
    table, put = DeadlineTable(connection), the_deadline()
    kept(table, put)
    assert due(table) == [(put.deadline_id, 1)]
    table.mark_sent(table.due(put.due_at, 10, released=False), put.due_at)
    assert due(table) == []
    assert list(table.positions()) == [(0, "topic-1", 7)]


def test_what_came_too_early_is_due_again_under_the_next_attempt(
    connection: Connection[Any],
) -> None:
    table, put = DeadlineTable(connection), the_deadline()
    kept(table, put)
    for attempt in (1, 2):
        table.mark_sent(table.due(put.due_at, 10, released=False), put.due_at)
        command_id = attempt_id(put.command, put.deadline_id, attempt)
        kept(table, SendAgain(command_id=command_id))
        assert due(table) == [(put.deadline_id, attempt + 1)]


def test_a_refusal_read_in_one_batch_with_its_deadline_counts(connection: Connection[Any]) -> None:
    table, put = DeadlineTable(connection), the_deadline()
    kept(table, put, SendAgain(command_id=put.command.meta.command_id))
    assert due(table) == [(put.deadline_id, 2)]


def test_a_deadline_that_is_off_is_not_sent_again(connection: Connection[Any]) -> None:
    table, put = DeadlineTable(connection), the_deadline()
    kept(table, put)
    kept(table, CancelDeadline(deadline_id=put.deadline_id))
    kept(table, SendAgain(command_id=put.command.meta.command_id))
    assert due(table) == []


def test_keys_up_to_the_number_are_destroyed_once_and_no_other(connection: Connection[Any]) -> None:
    for account, number in (("acct-1", 1), ("acct-1", 2), ("acct-1", 3), ("acct-2", 1)):
        connection.execute(
            "INSERT INTO secrets.account_keys (account_id, number, wrapped) VALUES (%s, %s, 'k')",
            (account, number),
        )
    table, erased = DeadlineTable(connection), DestroyKeys(account_id="acct-1", key_number=2)
    kept(table, erased)
    first = _keys(connection)
    assert [(account, number, key) for account, number, key, _ in first] == [
        ("acct-1", 1, None),
        ("acct-1", 2, None),
        ("acct-1", 3, b"k"),
        ("acct-2", 1, b"k"),
    ]
    kept(table, erased)
    assert _keys(connection) == first


def test_keys_are_destroyed_together_with_the_position_or_not_at_all(
    connection: Connection[Any],
) -> None:
    connection.execute(
        "INSERT INTO secrets.account_keys (account_id, number, wrapped) VALUES ('acct-1', 1, 'k')"
    )
    table, erased = DeadlineTable(connection), DestroyKeys(account_id="acct-1", key_number=1)
    with pytest.raises(psycopg.DataError):  # no position can be so far: the last statement fails
        table.keep([(0, erased)], {0: 1 << 70}, "topic-1")
    assert [key for _, _, key, _ in _keys(connection)] == [b"k"]
    assert list(table.positions()) == []
    kept(table, erased)
    assert [key for _, _, key, _ in _keys(connection)] == [None]


def _keys(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT account_id, number, wrapped, destroyed_at FROM secrets.account_keys ORDER BY 1, 2"
    ).fetchall()
