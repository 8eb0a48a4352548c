"""The interface between a partition's store and the place where its snapshot is kept.

A snapshot has an owner, and takes nothing from an earlier one. One test suite holds for every
implementation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from consumers.deciding.files import Place, Row, StoreTaken
from ledger.log.seam import LogUnavailable

Stored = Mapping[int, tuple[Place, Iterable[Row]]]
"""By partition: the place of a snapshot, and its entities in the order of their keys."""


class Claim(Struct, frozen=True, kw_only=True):
    """A decider's ownership of a partition's snapshot; no other has the same `owner`."""

    partition: int
    owner: str


class Kept(Struct, frozen=True, kw_only=True):
    """What a snapshot holds: all entities as they are at `place`.

    `owner` wrote it last, or has taken it over, and its file had written `revision` rows by then.
    """

    place: Place
    owner: str
    revision: int


class Followed(Struct, frozen=True, kw_only=True):
    """A partition whose snapshot is to be written, from its file."""

    claim: Claim
    path: Path


class SnapshotLost(StoreTaken):
    """The snapshot has another owner, or is gone: what depends on it must start again."""


class SnapshotsUnavailable(LogUnavailable):
    """The place of the snapshots does not answer."""


class Draft(Protocol):
    """A change of a snapshot that takes effect as a whole."""

    @property
    def kept(self) -> Kept | None:
        """What the snapshot holds before; None: nothing."""
        ...

    def clear(self) -> None:
        """Remove all entities."""
        ...

    def put(self, rows: Iterable[Row]) -> None:
        """Add or replace entities."""
        ...

    def move(self, kept: Kept) -> None:
        """Say how far the entities are now."""
        ...


class Snapshots(Protocol):
    """Where the snapshots are kept. For one thread."""

    def take_over(self, claim: Claim) -> Kept | None:
        """Become the owner; what the earlier one left, or None. Raises SnapshotsUnavailable."""
        ...

    def accounts(self, claim: Claim, account_ids: Sequence[str], most: int) -> list[Row]:
        """The entities of these accounts, at most `most` of each. Raises SnapshotLost, and
        SnapshotsUnavailable after it has waited for some time.
        """
        ...

    def entity(self, claim: Claim, account_id: str, kind: str, entity_id: str) -> Row | None:
        """One entity. Raises as `accounts` does."""
        ...

    def writing(self, claim: Claim) -> AbstractContextManager[Draft]:
        """Change the snapshot, or leave it as it was if an error is raised inside. Raises
        SnapshotLost if another has taken it over, and SnapshotsUnavailable.
        """
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class Follower(Protocol):
    """Writes the snapshots of the partitions that it follows."""

    def follow(self, followed: Followed) -> None:
        """Write the snapshot of this partition from now on."""
        ...

    def leave(self, partition: int) -> None:
        """Write it no more."""
        ...

    def check(self, partition: int) -> None:
        """Raises SnapshotLost if another process has taken the partition's snapshot over."""
        ...
