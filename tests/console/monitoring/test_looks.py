"""What brokers and database know becomes metrics."""

from __future__ import annotations

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from console.monitoring.looks import (
    LagLook,
    go_on_looking,
    look_at_deadlines,
    look_at_snapshots,
    look_at_what_is_shown,
)
from console.monitoring.meters import DeadlineMeters, Meters
from console.monitoring.webhook_meters import WebhookMeters
from console.running.lag import Lag
from ledger.log.seam import LogUnavailable
from ledger.values.instants import SECOND, Instant
from projector.migrations import migrate

NOW = 1_767_600_000_000_000


class Stopping:
    """A flag that is set after a number of waits."""

    def __init__(self, waits: int) -> None:
        self.left = waits

    def is_set(self) -> bool:
        return self.left <= 0

    def wait(self, _timeout: float) -> bool:
        self.left -= 1
        return self.is_set()


class Standing:
    """A clock that stands still."""

    def now(self) -> Instant:
        return NOW


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def meters(registry: CollectorRegistry) -> Meters:
    return Meters(registry)


def test_lag_is_told_in_records_and_in_seconds(registry: CollectorRegistry, meters: Meters) -> None:
    seconds = iter((0.0, 30.0))
    ends = iter((10, 25))
    look = LagLook(
        meters,
        lambda: [Lag(consumer="decider", topic="commands", positions=(5,), ends=(next(ends),))],
        lambda: next(seconds),
    )
    look()
    look()
    labels = {"consumer": "decider", "partition": "0"}
    assert registry.get_sample_value("refunds_lag_records", labels) == 20
    assert registry.get_sample_value("refunds_lag_seconds", labels) == 30


def test_a_look_that_fails_is_counted_and_connections_are_opened_again(
    registry: CollectorRegistry, meters: Meters
) -> None:
    opened: list[str] = []

    def look() -> None:
        raise LogUnavailable("no broker answers")

    def open_looks(stack: object) -> list[object]:
        opened.append("opened")
        return [look]

    go_on_looking(meters, open_looks, Stopping(3))  # type: ignore[arg-type]  # a flag of our own
    assert len(opened) == 3
    assert registry.get_sample_value("refunds_looks_failed_total") == 3
    assert registry.get_sample_value("refunds_looked_timestamp_seconds") == 0


def test_deadlines_are_counted_and_the_overdue_ones_apart(
    database: str, registry: CollectorRegistry
) -> None:
    migrate(database)
    deadlines = DeadlineMeters(registry)
    with psycopg.connect(database, autocommit=True) as connection:
        for number, (due_at, state) in enumerate(
            [
                (NOW - 90 * SECOND, "PENDING"),
                (NOW, "PENDING"),
                (NOW + SECOND, "PENDING"),
                (NOW - 500 * SECOND, "SENT"),
                (NOW - 500 * SECOND, "CANCELLED"),
            ]
        ):
            connection.execute(
                "INSERT INTO consumers.deadlines (partition, id, due_at, command_name, command,"
                " command_id, state) VALUES (0, %s, %s, 'X', '', %s, %s)",
                (f"d-{number}", due_at, f"c-{number}", state),
            )
        look_at_deadlines(deadlines, connection, Standing())
        connection.execute("UPDATE consumers.deadlines SET state = 'SENT'")
        found = [
            registry.get_sample_value(f"refunds_deadlines_{name}")
            for name in ("pending", "overdue", "overdue_seconds")
        ]
        assert found == [3, 2, 90]
        look_at_deadlines(deadlines, connection, Standing())
        assert registry.get_sample_value("refunds_deadlines_overdue_seconds") == 0


def test_snapshots_are_told_beside_what_is_shown(
    database: str, registry: CollectorRegistry, meters: Meters
) -> None:
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO consumers.decider_snapshots VALUES"
            " (0, 'd', 'place', 41, 7, to_timestamp(1000)), (1, 'd', NULL, NULL, NULL, NULL)"
        )
        connection.execute(
            "INSERT INTO consumers.checkpoints VALUES ('projector', 0, 't', 90, 44, ''),"
            " ('deadlines', 0, 't', 90, -1, '')"
        )
        look_at_snapshots(meters, connection)
        look_at_what_is_shown(meters, connection)
    names = ("snapshot_log_sequence", "snapshot_written_timestamp_seconds", "shown_log_sequence")
    found = [
        [registry.get_sample_value(f"refunds_{name}", {"partition": each}) for name in names]
        for each in ("0", "1")
    ]
    assert found == [[41, 1000, 44], [None, None, None]]


def test_what_is_stored_for_webhooks_is_told_without_counting_it(
    registry: CollectorRegistry, database: str
) -> None:
    migrate(database)
    webhooks = WebhookMeters(registry)
    with psycopg.connect(database, autocommit=True) as connection:
        webhooks.look(connection, Standing())
        assert registry.get_sample_value("refunds_webhooks_stored_events") == 0
        connection.execute(
            "INSERT INTO webhooks.deliveries"
            " SELECT 'h', 'a', n, n::text, '' FROM generate_series(1, 500) n"
        )
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.execute("SET lock_timeout = '1s'")
        with psycopg.connect(database) as other:
            other.execute("LOCK webhooks.deliveries")  # a count would wait for it
            webhooks.look(connection, Standing())
    assert registry.get_sample_value("refunds_webhooks_stored_events") == 500
