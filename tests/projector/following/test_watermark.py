"""How far the past is complete: only as far as nothing can be missing, whoever is idle or late."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from ledger.values.instants import Instant
from projector.following.checkpoint import Checkpoint
from projector.following.projection import CONSUMER
from projector.following.watermark import Watermark, forget


class World:
    """Two partitions: where their commands end, how far they are decided, where the events end."""

    def __init__(self) -> None:
        self.clock: Instant = 100
        self.commands = [5, 0]
        self.decisions: list[int | None] = [5, None]
        self.events = [8, 0]

    def now(self) -> Instant:
        return self.clock

    def given(self) -> Sequence[int]:
        return tuple(self.commands)

    def decided(self) -> Sequence[int | None]:
        return tuple(self.decisions)

    def ends(self) -> Sequence[int]:
        return tuple(self.events)


class Watched:
    """A horizon over a world, and what it has written."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.world = World()
        self.connection = connection
        self._horizon = Watermark(CONSUMER, self.world, self.world.ends)

    def look(self, *shown: int) -> Instant | None:
        places = {
            partition: Checkpoint(partition=partition, next_offset=offset)
            for partition, offset in enumerate(shown)
        }
        self._horizon.look(self.connection, places)
        return self.reached()

    def reached(self) -> Instant | None:
        row = self.connection.execute("SELECT reached_at FROM consumers.horizons").fetchone()
        return None if row is None else int(row[0])


@pytest.fixture
def watched(migrated: str) -> Iterator[Watched]:
    with psycopg.connect(migrated, autocommit=True) as connection:
        yield Watched(connection)


def test_what_is_decided_and_shown_is_complete_idle_partitions_included(watched: Watched) -> None:
    assert watched.look(8, 0) == 100


def test_a_command_that_waits_for_the_decider_holds_the_horizon(watched: Watched) -> None:
    watched.world.decisions = [4, None]
    assert watched.look(8, 0) is None
    watched.world.clock = 900
    watched.world.decisions, watched.world.events = [5, None], [10, 0]
    assert watched.look(8, 0) is None
    assert watched.look(10, 0) == 100


def test_a_command_of_which_no_decision_is_known_holds_it_too(watched: Watched) -> None:
    watched.world.commands = [5, 1]
    assert watched.look(8, 0) is None


def test_what_is_not_shown_yet_holds_the_horizon(watched: Watched) -> None:
    assert watched.look(7, 0) is None
    assert watched.look(8, 0) == 100


def test_commands_that_keep_coming_do_not(watched: Watched) -> None:
    watched.world.decisions = [4, None]
    assert watched.look(8, 0) is None
    watched.world.commands, watched.world.decisions = [7, 2], [6, None]
    assert watched.look(8, 0) == 100


def test_it_goes_by_the_clock_of_a_sandbox(watched: Watched) -> None:
    watched.connection.execute("INSERT INTO consumers.sandbox_clock VALUES (true, 70)")
    assert watched.look(8, 0) == 70


def test_it_never_goes_back(watched: Watched) -> None:
    assert watched.look(8, 0) == 100
    watched.world.clock = 50
    assert watched.look(8, 0) == 100


def test_read_models_that_begin_from_nothing_have_reached_nothing(watched: Watched) -> None:
    watched.look(8, 0)
    forget(watched.connection, CONSUMER)
    assert watched.reached() is None
