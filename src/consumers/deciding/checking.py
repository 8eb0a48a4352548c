"""Checks snapshots: each is what the events up to its place add up to, entity by entity.

The events are folded from the first one into files, and both are compared in the order of their
keys, so memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from heapq import merge
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from consumers.deciding.files import Place, Row, path_in, view_of
from consumers.deciding.recording import ChainEnd
from consumers.deciding.snapshots.seam import Stored
from consumers.deciding.store import Store
from ledger.log.seam import LogRecord
from ledger.state import evolve
from ledger.wire.avro.codec import body_hash, decode_event

_SAVED_AFTER = 5_000


class Finding(Struct, frozen=True, kw_only=True):
    """What the check of one partition's snapshot saw; `wrong` is empty for a sound one."""

    partition: int
    log_sequence: int
    entities: int
    wrong: str = ""


def check_snapshots(
    events: Iterable[LogRecord], stored: Stored, topic_id: str, scratch: Path
) -> list[Finding]:
    """Fold the events, which come partition by partition in order or mixed, and compare.

    A snapshot of another topic or form is left out: no decider would begin from it. The files in
    the folder `scratch` take about as much room as the snapshots.
    """
    usable = {partition: each for partition, each in stored.items() if each[0].is_of(topic_id)}
    with ExitStack() as stack:
        folds = {
            partition: stack.enter_context(closing(_Refold(scratch, partition, place)))
            for partition, (place, _) in usable.items()
        }
        for found in events:
            if found.partition in folds:
                folds[found.partition].take(found)
        return [folds[partition].compared(rows) for partition, (_, rows) in sorted(usable.items())]


class _Refold:
    """The fold of one partition up to a place."""

    def __init__(self, scratch: Path, partition: int, place: Place) -> None:
        self._store = Store(scratch, partition, place.topic_id)
        self._path = path_in(scratch, partition)
        self._partition = partition
        self._place = place
        self._end = ChainEnd()

    def take(self, found: LogRecord) -> None:
        """Fold an event that is not after the place."""
        if self._end.log_sequence >= self._place.end.log_sequence:
            return
        assert found.value is not None
        recorded = decode_event(found.value)
        self._store.apply(evolve(self._store, recorded))
        self._end = self._end.after(recorded, body_hash(found.value))
        if self._end.log_sequence % _SAVED_AFTER == 0:
            self._store.save(0, self._end)

    def compared(self, rows: Iterable[Row]) -> Finding:
        """The first entity that differs, if any."""
        count, wrong = 0, ""
        if self._end != self._place.end:
            wrong = (
                f"the log has event {self._end.text} where the snapshot has {self._place.end.text}"
            )
        else:
            self._store.save(0, self._end)
            with view_of(self._path) as view:
                for difference in _side_by_side(view.rows_in_order(), rows):
                    count += 1
                    wrong = wrong or difference
        return Finding(
            partition=self._partition,
            log_sequence=self._place.end.log_sequence,
            entities=count,
            wrong=wrong,
        )

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def _side_by_side(folded: Iterable[Row], stored: Iterable[Row]) -> Iterator[str]:
    """For each key of either: what is wrong with its entity, or nothing."""
    both = merge(
        ((*row[:3], 0, row[3]) for row in folded), ((*row[:3], 1, row[3]) for row in stored)
    )
    for key, rows in groupby(both, key=lambda row: row[:3]):
        values = {row[3]: bytes(row[4]) for row in rows}
        name = f"{key[1]} {key[2]!r} of account {key[0]!r}"
        if len(values) < 2:
            yield f"{name} is missing" if 0 in values else f"{name} is surplus"
        else:
            yield "" if values[0] == values[1] else f"{name} has another value"
