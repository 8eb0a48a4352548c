"""The past is answered as a plain fold of the events answers it, on both axes, and for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from ledger.values.instants import Instant, as_datetime, parse_instant
from ledger.vocabulary.envelope import RecordedEvent
from projector.asking.queries import Answer, Moment, NotAnswerable, UnknownAccount, ask, moment
from projector.questions import QUESTIONS
from projector.views import VIEWS
from tests.projector import naive
from tests.projector.conftest import PASSING_TRIGGERS
from tests.projector.mixed import instants, mixed
from tests.projector.shown import show
from tests.scenario import Scenario

SEED = 20_261_124
BALANCES = "SELECT account_id, cash_minor, gift_minor FROM finance.balances_at(%s, %s)"
STATEMENT = """
SELECT account_id, line, refund_id, finance.micros(occurred_at), finance.micros(recorded_at),
       cash * 100, gift * 100, balance_minor
FROM finance.statement_at(%s, %s) ORDER BY account_id, line
"""
TOTALS = """
SELECT account_id, refunds, amount_minor, refund_usd_cents, refund_left_usd * 100,
       finance.micros(next_release_at), next_release_usd * 100, cancelled_commitment_usd_cents,
       commitment_left_usd * 100, finance.micros(commitment_next_release_at),
       commitment_next_release_usd * 100
FROM finance.annual_refund_totals_at(%s, %s)
"""
BIN = """
SELECT isolation_id, instance_id, state, (extract(epoch FROM time_left) * 1000000)::bigint,
       averted_by, finance.micros(restored_at), finance.micros(destroyed_at), refund_id
FROM finance.recycle_bin_at(%s, %s)
"""


class Past:
    """The mixed ledger, shown, and its events."""

    def __init__(self, connection: Connection[Any], events: list[RecordedEvent]) -> None:
        self.connection = connection
        self.events = events

    def asked(self, query: str, as_of: Instant, known_at: Instant) -> list[tuple[Any, ...]]:
        both = (as_datetime(as_of), as_datetime(known_at))
        return self.connection.execute(query.encode(), both).fetchall()

    def keyed(self, query: str, as_of: Instant, known_at: Instant) -> dict[str, tuple[Any, ...]]:
        return {row[0]: row[1:] for row in self.asked(query, as_of, known_at)}


@pytest.fixture
def past(migrated: str) -> Iterator[Past]:
    events = show(migrated, mixed(SEED))
    with psycopg.connect(migrated, autocommit=True) as connection:
        yield Past(connection, events)


def test_the_mixed_ledger_has_what_makes_the_axes_differ() -> None:
    events = [event for story in mixed(SEED) for event in story.recorded]
    late = [event for event in events if event.meta.occurred_at < event.meta.recorded_at]
    names = {event.name for event in events}
    assert len(late) > 20
    assert {"RefundCorrected", "InstanceDestroyed", "InstanceRestored", "BalanceCredited"} <= names


def test_200_random_instants_are_answered_as_a_plain_fold_answers_them(past: Past) -> None:
    for as_of, known_at in instants(mixed(SEED), SEED, 200):
        found = list(naive.known(past.events, as_of, known_at))
        told = f"as of {as_of}, known at {known_at}"
        assert past.keyed(BALANCES, as_of, known_at) == naive.balances(found), told
        assert past.asked(STATEMENT, as_of, known_at) == naive.statement(found), told
        assert past.keyed(TOTALS, as_of, known_at) == naive.totals(found, as_of), told
        assert past.keyed(BIN, as_of, known_at) == naive.recycle_bin(found, as_of), told


def test_the_present_is_what_the_views_say(past: Past) -> None:
    for view, function in (
        ("balances", "balances_at"),
        ("recycle_bin", "recycle_bin_at"),
        ("trial_balance", "trial_balance_at"),
    ):
        shown = past.connection.execute(f"SELECT * FROM finance.{view}".encode()).fetchall()
        answer = past.connection.execute(f"SELECT * FROM finance.{function}()".encode()).fetchall()
        assert sorted(map(repr, shown)) == sorted(map(repr, answer)), view


def answer(past: Past, name: str, account: str | None, at: str | None, known: str | None) -> Answer:
    given = [None if text is None else parse_instant(text) for text in (at, known)]
    moment_asked = moment(past.connection, *given)
    return ask(past.connection, QUESTIONS[name], account, None, moment_asked)


@pytest.mark.parametrize(
    ("account", "at", "known", "said"),
    [
        (
            None,
            "2999-01-01T00:00:00Z",
            None,
            "2999-01-01T00:00:00Z lies in the future: the present",
        ),
        (
            None,
            None,
            "2999-01-01T00:00:00Z",
            "2999-01-01T00:00:00Z lies in the future: the present",
        ),
        (None, "1999-01-01T00:00:00Z", None, "is before the ledger began: its first event was rec"),
        (None, "2026-03-01T00:00:00Z", "1999-01-01T00:00:00Z", "is before the ledger began"),
        ("nobody", "2026-03-01T00:00:00Z", None, "account nobody: the read models have none"),
        ("acct-r0", "2026-01-05T19:00:00Z", None, "account acct-r0: it was opened at 2026-01-06T"),
    ],
)
def test_what_has_no_answer_says_why(
    past: Past, account: str | None, at: str | None, known: str | None, said: str
) -> None:
    with pytest.raises((NotAnswerable, UnknownAccount), match=re.escape(said)):
        answer(past, "balances", account, at, known)


def test_an_instant_that_not_every_partition_has_reached_has_no_answer_yet(past: Past) -> None:
    reached = parse_instant("2026-06-01T00:00:00Z")
    past.connection.execute("UPDATE consumers.horizons SET reached_at = %s", (reached,))
    said = (
        "2026-06-01T00:00:00Z is not answerable yet: every partition is known to have reached 202"
    )
    with pytest.raises(NotAnswerable, match=re.escape(said)):
        answer(past, "balances", None, "2026-06-01T00:00:00Z", None)
    assert answer(past, "balances", None, "2026-05-31T23:59:59.999999Z", None).rows
    past.connection.execute("DELETE FROM consumers.horizons")
    with pytest.raises(NotAnswerable, match="the progress of the partitions is not known"):
        answer(past, "balances", None, "2026-05-01T00:00:00Z", None)


def test_an_empty_ledger_has_no_past(migrated: str) -> None:
    with (
        psycopg.connect(migrated, autocommit=True) as connection,
        pytest.raises(NotAnswerable, match="before the ledger began: it has no event yet"),
    ):
        ask(connection, QUESTIONS["statement"], moment=Moment(as_of=1, known_at=1))


def test_a_question_about_the_present_alone_says_so(past: Past) -> None:
    with pytest.raises(NotAnswerable, match="question quotas is only about the present"):
        answer(past, "quotas", None, "2026-05-01T00:00:00Z", None)


def test_an_instant_alone_is_answered_by_what_is_complete(past: Past) -> None:
    reached = parse_instant("2026-06-01T00:00:00Z")
    past.connection.execute("UPDATE consumers.horizons SET reached_at = %s", (reached,))
    at = parse_instant("2026-05-01T00:00:00Z")
    assert moment(past.connection, at, None) == Moment(as_of=at, known_at=reached - 1)
    assert moment(past.connection, None, at) == Moment(as_of=at, known_at=at)
    assert moment(past.connection, None, None) is None


def test_what_comes_later_does_not_change_the_answer(migrated: str) -> None:
    """The same question before and after the rest of the log: the same rows."""
    stories = mixed(SEED)
    cut = sorted(event.meta.recorded_at for story in stories for event in story.recorded)[200]
    early = [_until(story, cut) for story in mixed(SEED)]
    show(migrated, early, now=cut + 1)
    asked = [(as_of, known) for as_of, known in instants(early, 4, 40) if known <= cut]
    queries = (BALANCES, STATEMENT, TOTALS, BIN)
    with psycopg.connect(migrated, autocommit=True) as connection:
        before = [Past(connection, []).asked(query, *both) for both in asked for query in queries]
        connection.execute(
            "TRUNCATE consumers.horizons, consumers.sandbox_clock, consumers.checkpoints"
        )
        connection.execute(PASSING_TRIGGERS)
        for view in VIEWS:
            connection.execute(f"TRUNCATE read_models.{view.TABLE.name}".encode())
        show(migrated, stories)
        after = [Past(connection, []).asked(query, *both) for both in asked for query in queries]
    assert before == after


def _until(story: Scenario, cut: Instant) -> Scenario:
    story.recorded = [event for event in story.recorded if event.meta.recorded_at <= cut]
    return story
