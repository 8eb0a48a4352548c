"""Snapshots in memory: what the tests and the simulation put in the place of a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct, field
from msgspec.structs import replace

from consumers.deciding.files import Row
from consumers.deciding.snapshots.seam import Claim, Draft, Kept, SnapshotLost

Entities = dict[tuple[str, str, str], bytes]


class Snapshot(Struct, frozen=True, kw_only=True):
    """One partition's snapshot; never changed in place."""

    owner: str
    kept: Kept | None = None
    entities: Entities = field(default_factory=dict)


class Shelf(Struct, kw_only=True):
    """All that is committed."""

    snapshots: dict[int, Snapshot] = field(default_factory=dict)


class MemorySnapshots:
    """Satisfies `consumers.deciding.snapshots.seam.Snapshots`."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def take_over(self, claim: Claim) -> Kept | None:
        """Become the owner."""
        found = self._shelf.snapshots.get(claim.partition, Snapshot(owner=""))
        self._shelf.snapshots[claim.partition] = replace(found, owner=claim.owner)
        return None if found.kept is None else replace(found.kept, owner=found.owner)

    def accounts(self, claim: Claim, account_ids: Sequence[str], most: int) -> list[Row]:
        """The entities of these accounts."""
        entities = self._owned(claim).entities
        rows = [(*key, value) for key, value in sorted(entities.items())]
        return [row for each in account_ids for row in [r for r in rows if r[0] == each][:most]]

    def entity(self, claim: Claim, account_id: str, kind: str, entity_id: str) -> Row | None:
        """One entity."""
        value = self._owned(claim).entities.get((account_id, kind, entity_id))
        return None if value is None else (account_id, kind, entity_id, value)

    @contextmanager
    def writing(self, claim: Claim) -> Iterator[Draft]:
        """Change the snapshot, or leave it as it was."""
        found = self._shelf.snapshots.get(claim.partition, Snapshot(owner=claim.owner))
        if found.owner != claim.owner:
            raise lost(claim)
        draft = MemoryDraft(found)
        yield draft
        self._shelf.snapshots[claim.partition] = Snapshot(
            owner=claim.owner, kept=draft.kept, entities=draft.entities
        )

    def close(self) -> None:
        """Nothing to close."""

    def _owned(self, claim: Claim) -> Snapshot:
        found = self._shelf.snapshots.get(claim.partition)
        if found is None or found.owner != claim.owner:
            raise lost(claim)
        return found


class MemoryDraft:
    """Satisfies `consumers.deciding.snapshots.seam.Draft`."""

    def __init__(self, before: Snapshot) -> None:
        self.kept = before.kept
        self.entities = dict(before.entities)

    def clear(self) -> None:
        """Remove all entities."""
        self.entities.clear()

    def put(self, rows: Iterable[Row]) -> None:
        """Add or replace entities."""
        for account_id, kind, entity_id, value in rows:
            self.entities[account_id, kind, entity_id] = value

    def move(self, kept: Kept) -> None:
        """Say how far they are now."""
        self.kept = kept


def lost(claim: Claim) -> SnapshotLost:
    """As it is in the database."""
    return SnapshotLost(f"the snapshot of partition {claim.partition} has another owner")
