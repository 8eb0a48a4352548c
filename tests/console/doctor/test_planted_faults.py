"""Faults that are planted in a ledger on real services, and found by `refundctl doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from console.doctor.checks import CHECKS
from console.doctor.checks.clocks import clocks
from console.doctor.checks.reactions.overdue_deadlines import overdue_deadlines
from console.doctor.checks.snapshots import snapshots
from console.doctor.checks.transactions import transactions
from console.doctor.finding import Severity
from console.doctor.patient import Patient
from console.running.settings import read_settings
from consumers.clock import WallClock
from devstack import Services
from ledger.log.kafka import KafkaTools
from ledger.log.kafka.client.settings import admin_options, transactional_options
from ledger.log.seam import Topic
from ledger.values.instants import SECOND, Instant
from projector.migrations import migrate
from tests import services as real
from tests.console.ledgers import RunningLedger, running_ledger
from tests.console.virtual_terminal import Terminal
from tests.consumers.ledgers import opening, record
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

CLOSED = "127.0.0.1:1"


@pytest.fixture(scope="module")
def ledger(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLedger]:
    """A ledger with a projector and reactions, and no decider."""
    with real.fresh_database(services.database_url) as url:
        folder = tmp_path_factory.mktemp("doctor")
        with running_ledger(
            services.bootstrap, url, folder, sandbox=False, processes=("projector",)
        ) as found:
            yield found


@pytest.fixture
def seat(terminal: Terminal, ledger: RunningLedger) -> Terminal:
    """A terminal on it."""
    terminal.use(ledger.environment)
    return terminal


@contextmanager
def patient(
    ledger: RunningLedger, monkeypatch: pytest.MonkeyPatch, **how: Any
) -> Iterator[Patient]:
    for name, value in ledger.environment.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        yield Patient(read_settings(), stack, **how)


def findings(seat: Terminal, check: str) -> tuple[int, list[dict[str, str]]]:
    """The exit code, and what that check found."""
    ran = seat.run("doctor", "--json")
    (told,) = ran.objects
    assert told["exit_code"] == ran.code
    return ran.code, [each for each in told["findings"] if each["check"] == check]


def test_a_ledger_that_is_well_has_no_findings(seat: Terminal) -> None:
    ran = seat.run("doctor")
    lines = [line for line in ran.out.splitlines() if not line.startswith(("fine ", "skipped "))]
    assert (ran.code, lines) == (0, [])
    assert {line.split()[1] for line in ran.out.splitlines()} == {
        check.__name__ for check in CHECKS
    }


def test_a_topic_whose_setting_was_changed_is_found(seat: Terminal, ledger: RunningLedger) -> None:
    with topic_setting(ledger, "retention.ms", "1000000000"):
        code, (found,) = findings(seat, "topics")
    assert code == 2
    assert found["what"].endswith("retention.ms is 1000000000, must be -1")
    assert findings(seat, "topics")[1][0]["severity"] == "fine"


def test_a_clock_that_is_wrong_is_found(
    ledger: RunningLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead:
        def now(self) -> Instant:
            return WallClock().now() + 35 * SECOND

    with patient(ledger, monkeypatch, clock=Ahead()) as examined:
        found = list(clocks(examined))
    assert [each.severity for each in found] == [Severity.ERROR, Severity.ERROR]
    assert found[0].what.startswith("this machine's clock is 3")


def test_a_consumer_that_is_behind_and_does_not_move_is_found(
    seat: Terminal, ledger: RunningLedger
) -> None:
    with closing(KafkaTools(ledger.kafka)) as tools:
        tools.publish([record(opening(f"acct-{n}"), 2) for n in range(10)])
    code, found = findings(seat, "lag")
    (decider,) = (each for each in found if each["what"].startswith("decider"))
    assert (code, decider["severity"]) == (2, "error")
    assert (
        "decider is 10 records behind in refunds.commands.v1, and does not move" in decider["what"]
    )


def test_a_transaction_that_nobody_ends_is_found(
    seat: Terminal, ledger: RunningLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "REFUNDS_KAFKA_TIMES", '{"request_timeout_ms": 200, "transaction_timeout_ms": 300}'
    )
    kafka = ledger.kafka
    with patient(ledger, monkeypatch) as examined:
        assert [each.severity for each in transactions(examined)] == [Severity.FINE]
        with closing(KafkaProducer(**transactional_options(kafka, "nobody"))) as producer:
            producer.init_transactions()
            producer.begin_transaction()
            producer.send(kafka.topic_name(Topic.EVENTS), b"never committed", partition=0)
            producer.flush()
            wait_until(
                lambda: next(transactions(examined)).severity is Severity.ERROR,
                "the open transaction is found",
            )
            (found,) = transactions(examined)
            producer.abort_transaction()
    assert f"{kafka.topic_name(Topic.EVENTS)}/0: producer" in found.what


def test_deadlines_that_were_not_sent_are_found(
    ledger: RunningLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        psycopg.connect(ledger.database_url, autocommit=True) as connection,
        patient(ledger, monkeypatch) as examined,
    ):
        connection.execute(
            "INSERT INTO consumers.deadlines (partition, id, due_at, command_name, command,"
            " command_id) VALUES (0, 'late', %s, 'X', '', 'c')",
            (WallClock().now() - 300 * SECOND,),
        )
        (found,) = overdue_deadlines(examined)
        connection.execute("DELETE FROM consumers.deadlines")
        (after,) = overdue_deadlines(examined)
    assert found.what.startswith("1 deadlines are overdue, the earliest by 30")
    assert (found.severity, after.severity) == (Severity.ERROR, Severity.FINE)


def test_a_snapshot_that_is_not_written_any_more_is_found(
    ledger: RunningLedger, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    migrate(database)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", CLOSED)
    monkeypatch.setenv("DATABASE_URL", database)
    with psycopg.connect(database, autocommit=True) as connection, ExitStack() as stack:
        examined = Patient(read_settings(), stack)
        assert [each.severity for each in snapshots(examined)] == [Severity.SKIPPED]
        connection.execute(
            "INSERT INTO consumers.checkpoints VALUES ('projector', 0, 't', 9, 50, ''),"
            " ('projector', 1, 't', 9, 50, '')"
        )
        connection.execute(
            "INSERT INTO consumers.decider_snapshots VALUES"
            " (0, 'd', 'place', 45, 1, now() - interval '1 hour'),"
            " (1, 'd', 'place', 50, 1, now() - interval '1 hour')"
        )
        (found,) = snapshots(examined)
    assert found.severity is Severity.WARNING
    assert found.what.endswith("behind in partitions 0 (5 events)")


def test_the_rest_is_examined_while_no_broker_answers(seat: Terminal) -> None:
    seat.use({"KAFKA_BOOTSTRAP": CLOSED})
    told = by_check(seat)
    assert told["brokers"] == ["error"]
    assert told["database"] == ["fine", "fine"]
    assert told["topics"] == told["transactions"] == ["skipped"]
    assert told["clocks"] == ["skipped", "fine"]
    assert told["overdue_deadlines"] == ["fine"]


def test_the_rest_is_examined_while_no_database_answers(seat: Terminal) -> None:
    seat.use({"DATABASE_URL": f"postgresql://refunds:geheim@{CLOSED}/refunds"})
    told = by_check(seat)
    assert told["database"] == ["error"]
    assert told["topics"] == ["fine"]
    assert told["lag"] == told["overdue_deadlines"] == ["skipped"]
    assert told["clocks"] == ["fine", "skipped"]


def test_a_database_without_tables_is_a_warning(seat: Terminal, database: str) -> None:
    seat.use({"DATABASE_URL": database})
    _, found = findings(seat, "database")
    assert [each["severity"] for each in found] == ["fine", "warning"]
    assert "0001_read_models.sql" in found[1]["what"]


def by_check(seat: Terminal) -> dict[str, list[str]]:
    """The severities of each check; the exit code is that of errors, and no secret is shown."""
    ran = seat.run("doctor", "--json")
    assert ran.code == 2
    assert "geheim" not in ran.out + ran.err
    told: dict[str, list[str]] = {}
    for each in ran.objects[0]["findings"]:
        told.setdefault(each["check"], []).append(each["severity"])
    assert set(told) == {check.__name__ for check in CHECKS}
    return told


@contextmanager
def topic_setting(ledger: RunningLedger, name: str, value: str) -> Iterator[None]:
    """The events have this setting for a while."""
    kafka = ledger.kafka
    events = kafka.topic_name(Topic.EVENTS)
    with closing(KafkaAdminClient(**admin_options(kafka))) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, events, {name: value})])
        try:
            yield
        finally:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, events, {name: "-1"})])
