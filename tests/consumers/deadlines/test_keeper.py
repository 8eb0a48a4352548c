"""Deadlines in a real database: each has its effect once, whatever dies, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from consumers.deadlines import table
from consumers.deadlines.keeper import MAX_DUE, DeadlineKeeper
from ledger.log.seam import Batch, Topic
from ledger.values.instants import DAY, HOUR, Instant
from ledger.vocabulary.commands import TakeInstanceOffline
from ledger.vocabulary.events import InstanceDestroyed
from ledger.vocabulary.shapes import Role
from projector.migrations import migrate
from tests.bodies import line, order, returning
from tests.consumers.deciding.test_decider import drained
from tests.consumers.ledgers import START, Bench, given, opening, record

MILLION = 1_000_000
WINDOW = 7 * DAY


class Events:
    """The events of a bench, as the keeper reads them."""

    topic_id = "events"

    def __init__(self, bench: Bench) -> None:
        self._cluster = bench.cluster
        self._log = bench.cluster.consumer("keeper", Topic.EVENTS)

    def ends(self) -> tuple[int, ...]:
        return self._cluster.end_offsets(Topic.EVENTS)

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> dict[int, Batch]:
        batch = self._log.read(Topic.EVENTS, 0, positions[0], max_records, timeout_seconds)
        return {} if batch.next_position == positions[0] else {0: batch}

    def close(self) -> None:
        """Nothing to let go of."""


class BenchClock:
    """The bench's time, or another that is set ahead of it."""

    def __init__(self, bench: Bench, ahead: int = 0) -> None:
        self._bench = bench
        self._ahead = ahead

    def now(self) -> Instant:
        return self._bench.now + self._ahead


@pytest.fixture
def connection(database: str) -> Iterator[Connection[Any]]:
    """To a database with the tables of the consumers."""
    migrate(database)
    with psycopg.connect(database, autocommit=True) as found:
        yield found


def keeper(bench: Bench, connection: Connection[Any], ahead: int = 0) -> DeadlineKeeper:
    """As a process that starts: it follows all there is."""
    clock = BenchClock(bench, ahead)
    rows = table.DeadlineTable(connection)
    kept = DeadlineKeeper(rows, Events(bench), bench.cluster, clock, sandbox=False)
    while kept.follow(0.0):
        pass
    return kept


def with_an_instance_in_the_bin() -> Bench:
    """Returned now: to be destroyed when its window is over."""
    bench = Bench()
    bought = order("o-1", line("i-1"), starts_at=START, ends_at=START + 365 * DAY)
    back = given("back", returning("i-1"), role=Role.SUPPORT)
    bench.publish(record(opening()), record(given("order", bought)), record(back))
    drained(bench.decider())
    return bench


def destructions(bench: Bench) -> list[tuple[Instant, Instant]]:
    """When each was decided and when it took effect."""
    return [
        (each.meta.recorded_at, each.meta.occurred_at)
        for each in bench.events()
        if isinstance(each.body, InstanceDestroyed)
    ]


def test_before_its_instant_nothing_is_sent_and_at_it_the_command_is(
    connection: Connection[Any],
) -> None:
    bench = with_an_instance_in_the_bin()
    kept = keeper(bench, connection)
    bench.now = START + WINDOW - 1
    assert kept.fire() == 0
    bench.now = START + WINDOW
    assert (kept.fire(), kept.fire()) == (1, 0)
    drained(bench.decider())
    assert destructions(bench) == [(START + WINDOW, START + WINDOW)]


def test_due_while_everything_was_down_it_takes_effect_at_its_own_instant(
    connection: Connection[Any],
) -> None:
    bench = with_an_instance_in_the_bin()
    keeper(bench, connection)
    bench.now = START + 30 * DAY
    assert keeper(bench, connection).fire() == 1
    drained(bench.decider())
    assert destructions(bench) == [(START + 30 * DAY, START + WINDOW)]


def test_killed_between_sending_and_marking_it_is_sent_again_and_takes_effect_once(
    connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = with_an_instance_in_the_bin()
    bench.now = START + WINDOW + HOUR

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("consumers.deadlines.table.mark_sent", killed)
        with pytest.raises(KeyboardInterrupt):
            keeper(bench, connection).fire()
    again = keeper(bench, connection)
    assert (again.fire(), again.fire()) == (1, 0)
    drained(bench.decider())
    first, second = (each.value for each in bench.records(Topic.COMMANDS)[-2:])
    assert first == second
    assert len(destructions(bench)) == 1


def test_what_is_cancelled_in_time_is_never_sent(connection: Connection[Any]) -> None:
    bench = with_an_instance_in_the_bin()
    keeper(bench, connection)
    offline = given("offline", TakeInstanceOffline(instance_id="i-1"), role=Role.OWNER)
    bench.publish(record(offline))
    drained(bench.decider())
    kept = keeper(bench, connection)
    bench.now = START + 400 * DAY
    assert kept.fire() == 0
    assert len(destructions(bench)) == 1


def test_sent_too_early_by_a_clock_that_is_ahead_it_is_sent_again_under_another_id(
    connection: Connection[Any],
) -> None:
    bench = with_an_instance_in_the_bin()
    kept = keeper(bench, connection, ahead=HOUR)
    bench.now = START + WINDOW - HOUR
    assert kept.fire() == 1
    drained(bench.decider())
    assert destructions(bench) == []
    bench.now = START + WINDOW
    while kept.follow(0.0):
        pass
    assert kept.fire() == 1
    drained(bench.decider())
    assert destructions(bench) == [(START + WINDOW, START + WINDOW)]


def test_a_million_wait_without_a_scan_and_come_a_thousand_at_a_time(
    connection: Connection[Any],
) -> None:
    connection.execute(
        """
        INSERT INTO consumers.deadlines (partition, id, due_at, command_name, command, state)
        SELECT number %% 4, 'acct-' || number, %s + number, 'DestroyIsolatedInstance', '\\x00',
            CASE WHEN number %% 100 = 0 THEN 'SENT' ELSE 'PENDING' END
        FROM generate_series(1, %s) AS number
        """,
        (START, MILLION),
    )
    connection.execute("ANALYZE consumers.deadlines")
    late = START + 2 * MILLION
    assert len(table.due(connection, late, MAX_DUE, released=False)) == MAX_DUE
    assert table.due(connection, START, MAX_DUE, released=False) == []
    assert table.next_due(connection) == START + 1
    for mode in ("force_custom_plan", "force_generic_plan"):
        connection.execute(f"SET plan_cache_mode = {mode}")
        for query, values in (
            (table.PENDING_DUE, f"{START}, {MAX_DUE}"),
            (table.PENDING_DUE, f"{late}, {MAX_DUE}"),
            (table.RELEASED_DUE, f"{late}, {MAX_DUE}"),
        ):
            assert scanned(connection, query, values) == {"Index Scan"}, (mode, query)


def scanned(connection: Connection[Any], query: str, values: str) -> set[str]:
    """How a prepared query reads the table, having run it; it may read no more than it gives."""
    connection.execute(f"PREPARE asked (bigint, bigint) AS {query % ('$1', '$2')}")
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked ({values})"
    row = connection.execute(explain).fetchone()
    assert row is not None
    connection.execute("DEALLOCATE asked")
    plan = row[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 2 * MAX_DUE
    assert plan["Actual Rows"] <= MAX_DUE
    return {each["Node Type"] for each in nodes(plan) if "Relation Name" in each}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)
