"""Bugs of the local store and of how it is believed."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.deciding.decider import PartitionDecider
from consumers.deciding.folding import Fold
from consumers.deciding.recording import ChainEnd
from consumers.deciding.store import Store
from ledger.log.seam import Batch, LogRecord, Outgoing
from ledger.wire.avro.codec import decode_event
from tests.simulation.mutants.planting import Patch, mutant


def _store_saved_before_the_commit(patch: Patch) -> None:
    """The store advances only by committed events. (A start finds it out; here it does not.)"""

    def commit(self: PartitionDecider, outgoing: Sequence[Outgoing], batch: Batch) -> None:
        if self._store.place.end.log_sequence >= 0:
            self._store.save(self._store.place.from_offset, self._end)
        original(self, outgoing, batch)

    original = patch.put(PartitionDecider, "_begin_commit", commit)
    _believe(patch)


def _place_saved_without_the_rows(patch: Patch) -> None:
    """What was folded and how far are saved together."""

    def save(self: Store, from_offset: int, end: ChainEnd) -> None:
        self._changed.clear()
        original(self, from_offset, end)

    original = patch.put(Store, "save", save)


def _store_believed(patch: Patch) -> None:
    """The store's last event must be found in the log with the same hash."""
    _believe(patch)


def _believe(patch: Patch) -> None:
    def fold_one(self: Fold, found: LogRecord) -> None:
        if decode_event(found.value).meta.log_sequence <= self.end.log_sequence:
            self._anchored = True
        else:
            original(self, found)

    original = patch.put(Fold, "_fold_one", fold_one)


def _undo_forgotten(patch: Patch) -> None:
    """Of a command that breaks the code halfway nothing remains in the state."""
    patch.put(Store, "undo", lambda self: None)


MUTANTS = tuple(
    map(
        mutant,
        (
            _store_saved_before_the_commit,
            _place_saved_without_the_rows,
            _store_believed,
            _undo_forgotten,
        ),
    )
)
