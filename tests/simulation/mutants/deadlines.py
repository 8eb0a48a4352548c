"""Bugs of the deadlines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from consumers.deadlines import keeper as keeping
from consumers.deadlines.keeper import DeadlineKeeper
from consumers.deadlines.schedule import CancelDeadline, DeadlineChange, SendAgain, deadline_changes
from consumers.deadlines.table import DueDeadline
from consumers.positions import Position
from ledger.log.seam import Outgoing
from ledger.vocabulary.envelope import RecordedEvent
from tests.simulation.database import SimulatedDeadlines
from tests.simulation.mutants.planting import Patch, mutant


def _marked_before_the_ack(patch: Patch) -> None:
    """A deadline is marked once the log has its command."""

    def fire(self: DeadlineKeeper) -> int:
        now = self._clock.now()
        ready = self._rows.due(now, 1_000, released=False)
        if ready:
            self._rows.mark_sent(ready, now)
            self._tools.publish([self._record(each) for each in ready])
        return len(ready)

    patch.put(DeadlineKeeper, "fire", fire)


def _id_without_the_attempt(patch: Patch) -> None:
    """A command that came too early is sent again under another id."""

    def record(self: DeadlineKeeper, each: DueDeadline) -> Outgoing:
        return original(self, replace(each, attempt=1))  # type: ignore[no-any-return]  # a patch

    original = patch.put(DeadlineKeeper, "_record", record)


def _too_early_taken_for_done(patch: Patch) -> None:
    """A command that came too early is sent again."""

    def changes(recorded: RecordedEvent) -> Iterator[DeadlineChange]:
        return (each for each in deadline_changes(recorded) if not isinstance(each, SendAgain))

    patch.put(keeping, "deadline_changes", changes)


def _rows_after_the_position(patch: Patch) -> None:
    """Rows and position are kept in one transaction."""

    def keep(
        self: SimulatedDeadlines,
        changes: Iterable[tuple[int, DeadlineChange]],
        moved: Mapping[int, int],
        topic_id: str,
    ) -> None:
        self._connection.ask("keep the positions")
        self.move(self._connection.rows, moved, topic_id)
        self._connection.ask("keep the deadlines")
        self.put(self._connection.rows, changes)

    patch.put(SimulatedDeadlines, "keep", keep)


def _cancellation_forgotten(patch: Patch) -> None:
    """A deadline that is off is not sent."""

    def changes(recorded: RecordedEvent) -> Iterator[DeadlineChange]:
        found = deadline_changes(recorded)
        return (each for each in found if not isinstance(each, CancelDeadline))

    patch.put(keeping, "deadline_changes", changes)


def _positions_of_any_topic(patch: Patch) -> None:
    """Positions of another topic are refused."""

    def positions(known: Iterable[Position], topic_id: str, ends: Sequence[int]) -> dict[int, int]:
        return original(  # type: ignore[no-any-return]  # a patch
            [(partition, topic_id, offset) for partition, _, offset in known], topic_id, ends
        )

    original = patch.put(keeping, "positions", positions)


def _deadlines_begun_at_the_end(patch: Patch) -> None:
    """A keeper goes on where the last one was, not at the end."""

    def positions(*given: Any) -> dict[int, int]:
        original(*given)
        return dict(enumerate(given[2]))

    original = patch.put(keeping, "positions", positions)


MUTANTS = tuple(
    map(
        mutant,
        (
            _marked_before_the_ack,
            _id_without_the_attempt,
            _too_early_taken_for_done,
            _rows_after_the_position,
            _cancellation_forgotten,
            _positions_of_any_topic,
            _deadlines_begun_at_the_end,
        ),
    )
)
