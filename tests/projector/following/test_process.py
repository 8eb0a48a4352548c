"""The projector as a process on a real broker and a real database: stopped, killed, doubled."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
import pytest
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from devstack import Services
from ledger.log.kafka import TopicTail
from ledger.log.kafka.client.security import OPEN
from ledger.log.seam import Outgoing, Topic
from ledger.values.ids import partition_of
from projector.reconciling.reconcile import Reconciliation, reconcile
from tests.ledger.log.worlds import KafkaWorld
from tests.projector.stories import Story, opened, order

ROOT = Path(__file__).parents[3]
REBUILD = "tests.projector.rebuilding.rebuild_process"
CAUGHT_UP, SHOWN, WAITING = "has caught up", "batch shown", "another projector is running"


@pytest.fixture
def world(services: Services) -> Iterator[KafkaWorld]:
    made = KafkaWorld(services.bootstrap)
    yield made
    made.close()


class Running:
    """A projector process; what it says is read line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def hears(self, words: str) -> None:
        """Wait until it says this."""
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if words in line:
                return
        raise AssertionError(f"it ended without saying {words!r}:\n{''.join(said)}")

    def ends(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.terminate()
        return self.process.wait(30)


@contextmanager
def projector(
    world: KafkaWorld, conninfo: str, module: str = "tests.projector.following.process"
) -> Iterator[Running]:
    """A projector that is killed at the end, if it still runs."""
    # Both processes take the security from their environment.
    settings = msgspec.json.encode(replace(world.settings, security=OPEN)).decode()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", module, conninfo, settings],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield Running(process)
        finally:
            process.kill()


def publish(world: KafkaWorld, story: Story, known: dict[int, int] | None = None) -> None:
    """Publish what the story has beyond the `known` number of records of each partition."""
    known = known or {}
    world.tools.publish(
        [
            Outgoing(topic=Topic.EVENTS, partition=partition, key=b"k", value=value)
            for partition, values in story.values.items()
            for value in values[known.get(partition, 0) :]
        ]
    )


def orders(count: int) -> Story:
    """A story of many orders of a few accounts."""
    story = Story()
    for account in range(7):
        story.command(f"acct-{account}", opened())
    for number in range(count):
        story.command(f"acct-{number % 7}", order(f"o-{number}", f"i-{number}"))
    return story


def compared(world: KafkaWorld, conninfo: str) -> Reconciliation:
    tail = TopicTail(world.settings, Topic.EVENTS)
    try:
        return reconcile(conninfo, tail)
    finally:
        tail.close()


def test_a_projector_told_to_stop_ends_cleanly_with_all_shown(
    world: KafkaWorld, database: str
) -> None:
    publish(world, orders(50))
    with projector(world, database) as running:
        running.hears(CAUGHT_UP)
        assert running.ends() == 0
    found = compared(world, database)
    assert found.divergences == ()
    assert tuple(found.positions.values()) == world.tools.end_offsets(Topic.EVENTS)


def test_a_projector_killed_in_the_middle_goes_on_without_loss_or_double(
    world: KafkaWorld, database: str
) -> None:
    publish(world, orders(3_000))
    for batches in (1, 3, 2):
        with projector(world, database) as running:
            for _ in range(batches):
                running.hears(SHOWN)
            running.process.kill()
    with projector(world, database) as running:
        running.hears(CAUGHT_UP)
        assert running.ends() == 0
    found = compared(world, database)
    assert found.divergences == ()
    assert tuple(found.positions.values()) == world.tools.end_offsets(Topic.EVENTS)


def test_a_rebuild_killed_again_and_again_ends_well_while_the_projector_goes_on(
    world: KafkaWorld, database: str
) -> None:
    story = orders(1_500)
    publish(world, story)
    with projector(world, database) as running:
        running.hears(CAUGHT_UP)
        known = {partition: len(values) for partition, values in story.values.items()}
        for number in range(1_500):
            story.command(f"acct-{number % 7}", order(f"p-{number}", f"j-{number}"))
        publish(world, story, known)
        for batches in (1, 4, 2):
            with projector(world, database, REBUILD) as rebuilding:
                for _ in range(batches):
                    rebuilding.hears(SHOWN)
                rebuilding.process.kill()
        with projector(world, database, REBUILD) as rebuilding:
            rebuilding.hears("resumed=True")
            rebuilding.hears("rebuilt ()")
            assert rebuilding.process.wait(30) == 0
        story.command("acct-1", order("o-late", "i-late"))
        known = {partition: len(values) for partition, values in story.values.items()}
        known[partition_of(b"acct-1", len(known))] -= 1
        publish(world, story, known)
        with projector(world, database) as second:
            second.hears(WAITING)
            assert running.ends() == 0
            second.hears(CAUGHT_UP)
            assert second.ends() == 0
    found = compared(world, database)
    assert found.divergences == ()
    assert tuple(found.positions.values()) == world.tools.end_offsets(Topic.EVENTS)


def test_a_backup_of_the_database_taken_in_the_middle_catches_up(
    world: KafkaWorld, services: Services, database: str
) -> None:
    publish(world, orders(2_000))
    with projector(world, database) as running:
        for _ in range(3):
            running.hears(SHOWN)
        running.process.kill()
    with projector(world, database, REBUILD) as rebuilding:
        rebuilding.hears(SHOWN)
        rebuilding.process.kill()
    with copied(services, database) as backup:
        with projector(world, database) as running:
            running.hears(CAUGHT_UP)
            assert running.ends() == 0
        assert compared(world, backup).positions != compared(world, database).positions
        with projector(world, backup) as running:
            running.hears(CAUGHT_UP)
            assert running.ends() == 0
        with projector(world, backup, REBUILD) as rebuilding:
            rebuilding.hears("resumed=True")
            rebuilding.hears("rebuilt ()")
        assert compared(world, backup) == compared(world, database)
        assert compared(world, backup).divergences == ()


@contextmanager
def copied(services: Services, conninfo: str) -> Iterator[str]:
    """A copy of a database's files as they are now: a backup, restored beside it."""
    name = conninfo_to_dict(conninfo)["dbname"]
    with psycopg.connect(services.database_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        admin.execute(f'CREATE DATABASE "{name}_b" TEMPLATE "{name}" STRATEGY file_copy'.encode())
        try:
            yield make_conninfo(conninfo, dbname=f"{name}_b")
        finally:
            admin.execute(f'DROP DATABASE "{name}_b" WITH (FORCE)'.encode())


def test_a_second_projector_takes_over_where_the_first_ended(
    world: KafkaWorld, database: str
) -> None:
    story = orders(50)
    publish(world, story)
    known = {partition: len(values) for partition, values in story.values.items()}
    with projector(world, database) as first:
        first.hears(CAUGHT_UP)
        with projector(world, database) as second:
            second.hears(WAITING)
            assert first.ends() == 0
            story.command("acct-1", order("o-late", "i-late"))
            publish(world, story, known)
            second.hears(SHOWN)
            assert second.ends() == 0
    found = compared(world, database)
    assert found.divergences == ()
    assert tuple(found.positions.values()) == world.tools.end_offsets(Topic.EVENTS)
