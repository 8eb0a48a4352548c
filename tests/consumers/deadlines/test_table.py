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
