"""Folds the log into shadow tables, up to the projector's position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from psycopg import Connection

from ledger.log.seam import Batch, EventSource, LogUnavailable
from projector.following import checkpoint
from projector.following.checkpoint import Checkpoint
from projector.following.projection import CONSUMER, Projection, project
from projector.migrations import WrongDatabase
from projector.progress import Progress

REBUILDER = "rebuild"
"""The consumer name of a rebuild's checkpoints."""
_READ_SECONDS = 5.0
_PATIENCE = 6

Places = dict[int, Checkpoint]


class Backfill:
    """A rebuild's position in the log, and how it advances."""

    def __init__(
        self,
        connection: Connection[Any],
        projection: Projection,
        source: EventSource,
        tell: Callable[[Progress], None],
        *,
        resumed: bool,
    ) -> None:
        self.events = 0
        self._connection, self._projection, self._source = connection, projection, source
        self._tell, self._resumed = tell, resumed
        self.places = self._load(REBUILDER)

    def reach_the_projector(self) -> None:
        """Fold up to the projector's position, until less than a batch is missing."""
        while True:
            self._fold_to(self._load(CONSUMER))
            left = _sum(self._load(CONSUMER)) - _sum(self.places)
            if left <= self._projection.max_records:
                return

    def meet_the_projector(self) -> None:
        """Fold up to its exact position, while the projector is stopped. Raises WrongDatabase if
        its checkpoint names another event there.
        """
        standing = self._load(CONSUMER)
        self._fold_to(standing)
        if self.places != standing:
            raise WrongDatabase(
                "the projector's checkpoints name other events than the log has at "
                f"{checkpoint.positions(standing)}; check both with 'refundctl audit verify'"
            )

    def _load(self, consumer: str) -> Places:
        source = self._source
        return checkpoint.load(self._connection, consumer, source.topic_id, source.ends())

    def _fold_to(self, target: Places) -> None:
        """Bounded: gives up if the log returns nothing."""
        total, silent = _sum(target), 0
        positions = checkpoint.positions(self.places)
        self._say(total)
        while any(positions[p] < place.next_offset for p, place in target.items()):
            found = self._source.read(positions, self._projection.max_records, _READ_SECONDS)
            silent = 0 if found else silent + 1
            if silent == _PATIENCE:
                raise LogUnavailable(
                    f"the events topic: no records at {positions}, although the projector has read "
                    f"up to {checkpoint.positions(target)}; check the broker"
                )
            positions |= {p: batch.next_position for p, batch in found.items()}
            self._show(_cut(found, self.places, target))
            self._say(total)

    def _show(self, batches: Mapping[int, Batch]) -> None:
        if not batches:
            return
        topic_id = self._source.topic_id
        self.places = project(self._connection, self._projection, topic_id, self.places, batches)
        self.events += sum(len(batch.records) for batch in batches.values())

    def _say(self, total: int) -> None:
        done = _sum(self.places)
        told = Progress(done=done, total=total, events=self.events, resumed=self._resumed)
        self._tell(told)


def _cut(found: Mapping[int, Batch], places: Places, target: Places) -> dict[int, Batch]:
    """The read records before the target."""
    cut = {}
    for partition, batch in found.items():
        end = target[partition].next_offset
        if places[partition].next_offset < end:
            cut[partition] = Batch(
                records=tuple(record for record in batch.records if record.offset < end),
                next_position=min(batch.next_position, end),
            )
    return cut


def _sum(places: Places) -> int:
    return sum(place.next_offset for place in places.values())
