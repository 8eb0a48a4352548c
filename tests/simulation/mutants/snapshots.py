"""Bugs of the snapshots: of how they are believed, owned, written and read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from consumers.deciding.files import Row, StateFile, Status
from consumers.deciding.folding import Fold
from consumers.deciding.snapshots.seam import Claim, Draft
from consumers.deciding.store import Store
from ledger.log.seam import LogRecord
from ledger.wire.avro.codec import decode_event
from tests.consumers.deciding.snapshots.in_memory import MemoryDraft, MemorySnapshots, Snapshot
from tests.simulation.mutants.planting import Patch, mutant


def _snapshot_believed(patch: Patch) -> None:
    """A snapshot's last event must be found in the log with the same hash."""

    def fold_one(self: Fold, found: LogRecord) -> None:
        begun = vars(self._store).get("_borrowing") is not None
        number = decode_event(found.value).meta.log_sequence
        if begun and not self._anchored and number >= self.end.log_sequence:
            self._anchored = True
            if number == self.end.log_sequence:
                return
        original(self, found)

    original = patch.put(Fold, "_fold_one", fold_one)


def _late_write_of_an_earlier_owner(patch: Patch) -> None:
    """Only the owner of a snapshot writes it."""

    @contextmanager
    def writes(self: MemorySnapshots, claim: Claim) -> Iterator[Draft]:
        found = self._shelf.snapshots.get(claim.partition, Snapshot(owner=claim.owner))
        draft = MemoryDraft(found)
        yield draft
        self._shelf.snapshots[claim.partition] = Snapshot(
            owner=found.owner, kept=draft.kept, entities=draft.entities
        )

    patch.put(MemorySnapshots, "writing", writes)


def _half_a_file_taken_for_whole(patch: Patch) -> None:
    """A file that began from a snapshot lacks what did not change since."""

    def begin_at(self: StateFile, status: Status) -> None:
        original(self, replace(status, partial=False))

    original = patch.put(StateFile, "begin_at", begin_at)


def _revisions_begun_at_nought(patch: Patch) -> None:
    """The rows of a new file come after those that the snapshot already has."""

    def begin_at(self: StateFile, status: Status) -> None:
        original(self, replace(status, revision=0))

    original = patch.put(StateFile, "begin_at", begin_at)


def _place_of_a_snapshot_ahead_of_its_entities(patch: Patch) -> None:
    """Entities and place of a snapshot change together."""

    def put(self: MemoryDraft, rows: Iterable[Row]) -> None:
        original(self, list(rows)[:-1])

    original = patch.put(MemoryDraft, "put", put)


def _a_file_that_went_on_alone_continued(patch: Patch) -> None:
    """A file without its snapshot for a while can no longer say what of it is old."""

    def go_on_without(self: Store) -> None:
        if self._file.status.partial:
            self.clear()
        elif self._claim is not None:
            self._file.belong_to(self._claim.owner)

    patch.put(Store, "_go_on_without", go_on_without)


MUTANTS = tuple(
    map(
        mutant,
        (
            _snapshot_believed,
            _late_write_of_an_earlier_owner,
            _half_a_file_taken_for_whole,
            _revisions_begun_at_nought,
            _place_of_a_snapshot_ahead_of_its_entities,
            _a_file_that_went_on_alone_continued,
        ),
    )
)
