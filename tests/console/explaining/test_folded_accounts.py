"""The kept state of an account is what all of its events add up to, whatever came since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from console.explaining import folded_accounts
from console.explaining.folded_accounts import FoldedAccounts
from consumers.sandbox.planning import folded
from ledger.state.entities import Entity
from ledger.state.reading import Key
from ledger.vocabulary.envelope import RecordedEvent
from projector.asking.histories import History, history
from projector.asking.queries import UnknownAccount
from projector.migrations import migrate
from projector.rows.changes import fold
from projector.rows.writer import write
from projector.views import VIEWS
from tests.projector.conftest import PASSING_TRIGGERS
from tests.projector.mixed import mixed
from tests.projector.shown import apart, show


class Shown:
    """The read models of some accounts, as far as they are shown."""

    def __init__(self, conninfo: str) -> None:
        migrate(conninfo)
        stories = mixed(3)
        self.events = apart(stories)
        self.account = max(stories, key=lambda story: len(story.recorded)).account
        self.connection = psycopg.connect(conninfo, autocommit=True)
        self._conninfo = conninfo
        show(conninfo, stories)

    def connections(self) -> AbstractContextManager[Connection[Any]]:
        """One of its own for each question."""
        return psycopg.connect(self._conninfo, autocommit=True)

    @property
    def own(self) -> list[RecordedEvent]:
        """The account's events."""
        return [each for each in self.events if each.meta.account_id == self.account]

    def hide_after(self, sequence: int) -> None:
        """As if the projector had not come further."""
        self.connection.execute(PASSING_TRIGGERS)
        self.connection.execute(
            "DELETE FROM read_models.outcomes WHERE account_id = %s AND sequence > %s",
            (self.account, sequence),
        )
        last = self.own[sequence - 1].meta
        self._reach(last.source_partition, last.log_sequence)

    def show_all(self) -> None:
        """Show again what was hidden."""
        rows = self.connection.execute("SELECT account_id, sequence FROM read_models.outcomes")
        there = set(rows.fetchall())
        more = [e for e in self.own if (e.meta.account_id, e.meta.sequence) not in there]
        views = [view for view in VIEWS if view.TABLE.name == "outcomes"]
        with psycopg.connect(self._conninfo) as connection:
            write(
                connection, fold(c for event in more for view in views for c in view.changes(event))
            )
        self._reach(more[-1].meta.source_partition, more[-1].meta.log_sequence)

    def _reach(self, partition: int, log_sequence: int) -> None:
        self.connection.execute(
            "UPDATE consumers.checkpoints SET log_sequence = %s WHERE partition = %s",
            (log_sequence, partition),
        )


@pytest.fixture
def shown(database: str) -> Iterator[Shown]:
    found = Shown(database)
    yield found
    found.connection.close()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events each question read."""
    found: list[int] = []

    def counted(
        connection: Connection[Any], account_id: str, since: int = 1, most: int | None = None
    ) -> History:
        answer = history(connection, account_id, since, most)
        found.append(len(answer.events))
        return answer

    monkeypatch.setattr(folded_accounts, "history", counted)
    return found


def entities(kept: FoldedAccounts, shown: Shown) -> dict[Key, Entity]:
    with kept.folded(shown.connections, shown.account) as found:
        return dict(found.state.entities())


def whole(shown: Shown) -> dict[Key, Entity]:
    with shown.connections() as connection:
        return dict(folded(history(connection, shown.account).events).entities())


def test_only_what_came_since_is_read_again(shown: Shown, read: list[int]) -> None:
    kept, events = FoldedAccounts(), shown.own
    first_of_last = len(events) - events[-1].meta.index
    shown.hide_after(first_of_last - 1)
    assert entities(kept, shown) == whole(shown)
    shown.show_all()
    assert entities(kept, shown) == whole(shown)
    assert entities(kept, shown) == whole(shown)
    assert read == [first_of_last - 1, 1 + events[-1].meta.count, 1]


def test_it_is_known_before_whether_much_is_yet_to_be_folded(shown: Shown) -> None:
    kept = FoldedAccounts(at_once=len(shown.own) - 1)
    assert kept.is_far(shown.connection, shown.account)
    entities(kept, shown)
    assert not kept.is_far(shown.connection, shown.account)
    assert not FoldedAccounts().is_far(shown.connection, shown.account)
    assert not kept.is_far(shown.connection, "nobody")


def test_a_command_that_is_half_shown_is_folded_when_the_rest_is_there(shown: Shown) -> None:
    kept = FoldedAccounts()
    half = next(e for e in shown.own if e.meta.count > 1 and e.meta.index == 0)
    shown.hide_after(half.meta.sequence)
    assert entities(kept, shown) == whole(shown)
    shown.show_all()
    assert entities(kept, shown) == whole(shown)


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_a_large_account_is_read_in_portions_of_whole_commands(
    shown: Shown, read: list[int], at_once: int
) -> None:
    assert entities(FoldedAccounts(at_once=at_once), shown) == whole(shown)
    most = max(each.meta.count for each in shown.own)
    assert len(read) > 1
    assert max(read) <= at_once + most
    half = next(e for e in shown.own if e.meta.count > 1 and e.meta.index == 0)
    shown.hide_after(half.meta.sequence)
    assert entities(FoldedAccounts(at_once=at_once), shown) == whole(shown)


def test_the_state_of_another_ledger_in_its_place_is_not_kept(
    shown: Shown, read: list[int]
) -> None:
    kept = FoldedAccounts()
    entities(kept, shown)
    shown.connection.execute(PASSING_TRIGGERS)
    shown.connection.execute("UPDATE read_models.outcomes SET event_id = md5(event_id)::uuid::text")
    entities(kept, shown)
    assert read == [len(shown.own), 1, len(shown.own)]


def test_an_account_that_is_not_there_is_said_each_time(shown: Shown) -> None:
    kept = FoldedAccounts()
    for _ in range(2):
        with pytest.raises(UnknownAccount), kept.folded(shown.connections, "nobody"):
            pass


def test_accounts_that_were_asked_about_long_ago_are_forgotten(
    shown: Shown, read: list[int]
) -> None:
    kept = FoldedAccounts(most_events=len(shown.own))
    others = sorted(
        {e.meta.account_id for e in shown.events if e.meta.account_id} - {shown.account}
    )
    for account in (shown.account, others[0], shown.account):
        with kept.folded(shown.connections, account):
            pass
    assert read == [len(shown.own), read[1], len(shown.own)]
