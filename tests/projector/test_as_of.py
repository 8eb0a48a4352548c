"""The past is answered as a plain fold of the events answers it, on both axes, and for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from ledger.envelope import RecordedEvent
from ledger.instants import Instant, as_datetime
from tests.projector import naive
from tests.projector.mixed import instants, mixed
from tests.projector.shown import show

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
