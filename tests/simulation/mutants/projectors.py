"""Bugs of the projector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ledger.log.seam import Batch, Topic
from projector.following import checkpoint, event_reader
from projector.following.checkpoint import Checkpoint
from tests.simulation.database import Connection, SimulatedTables
from tests.simulation.log import SimulatedSource
from tests.simulation.mutants.planting import Patch, mutant


def _rows_before_the_place(patch: Patch) -> None:
    """Rows and place are written in one transaction."""

    @contextmanager
    def transaction(self: SimulatedTables) -> Iterator[None]:
        self._changes, self._moved = [], []
        yield
        moved, self._moved = self._moved, []
        self._apply(self._connection.rows)
        self._connection.ask("the rows are there")
        self._changes, self._moved = [], moved
        self._apply(self._connection.rows)

    patch.put(SimulatedTables, "transaction", transaction)


def _place_before_the_rows(patch: Patch) -> None:
    """Rows and place are written in one transaction, in whatever order."""

    @contextmanager
    def transaction(self: SimulatedTables) -> Iterator[None]:
        self._changes, self._moved = [], []
        yield
        changes, self._changes = self._changes, []
        self._apply(self._connection.rows)
        self._connection.ask("the place is there")
        self._changes, self._moved = changes, []
        self._apply(self._connection.rows)

    patch.put(SimulatedTables, "transaction", transaction)


def _gap_passed_over(patch: Patch) -> None:
    """The projector stops where an event is missing."""
    patch.put(event_reader, "_check", lambda *given: None)


def _place_of_any_topic(patch: Patch) -> None:
    """A database that was filled from another topic is refused."""

    def verified(
        rows: Sequence[Any], consumer: str, topic_id: str, ends: Sequence[int]
    ) -> dict[int, Checkpoint]:
        own = [(number, topic_id, *rest) for number, _, *rest in rows]
        return original(own, consumer, topic_id, ends)  # type: ignore[no-any-return]  # a patch

    original = patch.put(checkpoint, "verified", verified)


def _place_ahead_of_the_log(patch: Patch) -> None:
    """A database that has read more than there is is refused."""

    def verified(rows: Sequence[Any], consumer: str, topic_id: str, ends: Sequence[int]) -> Any:
        return original(rows, consumer, topic_id, [end + 1_000_000 for end in ends])

    original = patch.put(checkpoint, "verified", verified)


def _uncommitted_events_shown(patch: Patch) -> None:
    """Only committed events are shown."""

    def read(
        self: SimulatedSource, positions: Mapping[int, int], most: int, timeout_seconds: float
    ) -> dict[int, Batch]:
        self._world.pause("read what is not committed", rest=timeout_seconds > 0)
        found = {}
        for partition, position in positions.items():
            events = self._world.broker.partitions[Topic.EVENTS, partition]
            batch = events.read(position, most, uncommitted=True)
            if batch.next_position != position:
                found[partition] = batch
        return found

    patch.put(SimulatedSource, "read", read)


def _two_at_once(patch: Patch) -> None:
    """One projector at a time."""
    patch.put(Connection, "try_lock", lambda self, name: True)


def _database_never_looked_at(patch: Patch) -> None:
    """A projector without work sees that the database is still the same."""
    patch.put(SimulatedTables, "check", lambda self: None)


MUTANTS = tuple(
    map(
        mutant,
        (
            _rows_before_the_place,
            _place_before_the_rows,
            _gap_passed_over,
            _place_of_any_topic,
            _place_ahead_of_the_log,
            _uncommitted_events_shown,
            _two_at_once,
            _database_never_looked_at,
        ),
    )
)
