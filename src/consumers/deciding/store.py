"""The decider's store: the state of one partition on disk, with a cache in memory.

It is a cache of the events topic: it changes only by committed events, stores its position, and may
be deleted at any time. One file per partition; on an empty machine it begins from a snapshot.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TypeVar, cast
from uuid import uuid4

import structlog
from msgspec import msgpack

from consumers.deciding.files import Place, Row, StateFile, Status, StoreTaken, path_in
from consumers.deciding.memory import (
    KEY_BITS,
    RECENT_ENTITIES,
    UNKNOWN,
    PossibleKeys,
    Recent,
)
from consumers.deciding.recording import ChainEnd
from consumers.deciding.snapshots.borrowing import Borrowing
from consumers.deciding.snapshots.seam import (
    Claim,
    Followed,
    Follower,
    Kept,
    Snapshots,
    SnapshotsUnavailable,
)
from ledger.log.seam import LogUnavailable
from ledger.state import Change, Key
from ledger.state.entities import Entity

__all__ = ["Place", "Store", "StoreTaken"]

E = TypeVar("E", bound=Entity)

_LEARNT_KEYS = 250_000
"""Of a file with more keys none are read at the start, which would take too long."""
_KINDS: dict[str, type[Entity]] = {kind.__name__: kind for kind in Entity.__args__}

CANNOT_READ = (LogUnavailable, StoreTaken, sqlite3.DatabaseError)
"""The state cannot be read now: no command is at fault, so the process ends, and its next start
decides what this one could not.
"""

_log = structlog.get_logger(__name__)


class Store:
    """A partition's state; satisfies `ledger.state.State`.

    `apply` changes it in memory, `save` makes it durable; after a crash in between, the events
    topic still has everything. Without a folder it is kept only in memory. `sharing` is how many
    partitions share the memory of a process.
    """

    def __init__(
        self,
        folder: Path | None,
        partition: int,
        topic_id: str,
        patience_seconds: float = 1.0,
        snapshots: Snapshots | None = None,
        writer: Follower | None = None,
        sharing: int = 4,
    ) -> None:
        path: Path | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            path = path_in(folder, partition)
        self._partition = partition
        self._topic_id = topic_id
        self._snapshots = snapshots
        self._writer = writer
        self._claim: Claim | None = None
        self._borrowing: Borrowing | None = None
        self._recent = Recent(RECENT_ENTITIES // sharing)
        self._possible = PossibleKeys(KEY_BITS // sharing)
        self._changed: set[Key] = set()
        self._undo: list[tuple[Key, object]] = []
        self._file = StateFile(path, patience_seconds, sharing)
        self._learn_keys()
        self.place = self._file.status.place
        if not self.place.is_of(topic_id):
            self.clear()
        if snapshots is None:
            self._go_on_without()

    def find(self, kind: type[E], account_id: str, entity_id: str) -> E | None:
        """The entity of that kind and id in the account, or None."""
        place = (kind, account_id, entity_id)
        found = self._recent.find(place)
        if found is UNKNOWN:
            if place not in self._possible:
                return None
            found = self._read(Key(*place))
            self._recent.keep(place, found)
        return cast("E | None", found)

    def prepare(self, account_ids: Iterable[str]) -> None:
        """Have the entities of these accounts here, in few queries. Raises SnapshotLost."""
        if self._writer is not None:
            self._writer.check(self._partition)
        if self._borrowing is not None:
            self._borrowing.accounts(account_ids)

    def apply(self, changes: Iterable[Change]) -> None:
        """Apply the changes of an event, in memory."""
        for key, entity in changes:
            self._undo.append((key, self._recent.find(key)))
            self._recent.keep(key, entity)
            self._changed.add(key)

    def begin(self) -> None:
        """Begin a group of changes that `undo` can reverse."""
        self._undo.clear()

    def undo(self) -> None:
        """Reverse the changes since `begin`."""
        for key, before in reversed(self._undo):
            if before is UNKNOWN:
                self._recent.drop(key)
            else:
                self._recent.keep(key, cast("Entity | None", before))
        self._undo.clear()

    def save(self, from_offset: int, end: ChainEnd) -> None:
        """Make all changes durable, with their position, in one transaction."""
        self.place = Place(topic_id=self._topic_id, from_offset=from_offset, end=end)
        rows: list[Row] = [
            (key.account_id, key.kind.__name__, key.entity_id, msgpack.encode(entity))
            for key in self._changed
            if (entity := self._recent.find(key)) is not None and entity is not UNKNOWN
        ]
        self._file.keep(rows, self.place)
        self._possible.add(self._changed)
        self._changed.clear()
        self._undo.clear()
        self._recent.age()

    def meet_snapshot(self) -> None:
        """Take the partition's snapshot over, and begin from it unless the file is at least as far.

        1. Take it over: an earlier owner can no longer write it, nor read from it. 2. Go on with
        the file, if it belongs to the snapshot or is whole. 3. Else begin a file at the snapshot's
        place. A crash between any two leaves a file that does not belong to the snapshot: the next
        start copies it, or begins a new one.

        Raises SnapshotsUnavailable if the file depends on it.
        """
        status = self._file.status
        if self._snapshots is None:
            return
        claim = self._claim = Claim(partition=self._partition, owner=uuid4().hex)
        try:
            kept = self._snapshots.take_over(claim)
        except SnapshotsUnavailable as error:
            if status.partial:
                raise
            _log.warning("without a snapshot", partition=self._partition, reason=str(error))
            self._claim = None  # nobody was told of it: the next start claims the snapshot
            self._go_on_without()
            return
        if kept is not None and not kept.place.is_of(self._topic_id):
            kept = None
        ahead = kept is not None and kept.place.end.log_sequence > self.place.end.log_sequence
        belongs = kept is not None and kept.owner == status.owner and not ahead
        if belongs:
            self._file.belong_to(claim.owner)
        elif kept is not None and (ahead or status.partial):
            self._begin_at(kept, claim)
        else:
            self._go_on_without()
        if self._file.status.partial:
            self._possible.add_all()
            self._borrowing = Borrowing(self._file, self._snapshots, claim)

    def keep_snapshot(self) -> None:
        """From now on have the snapshot written behind what is saved."""
        path = self._file.path
        if self._claim is not None and self._writer is not None and path is not None:
            self._writer.follow(Followed(claim=self._claim, path=path))

    def clear(self) -> None:
        """Delete everything; the state will be folded again from the first event."""
        self._file.clear()
        self._forget()
        self._borrowing = None
        self.place = Place(topic_id=self._topic_id)

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.leave(self._partition)
        self._file.close()

    def _go_on_without(self) -> None:
        """Whatever the snapshot has, the file no longer knows what of it is old."""
        if self._file.status.partial:
            self.clear()
        self._file.belong_to("")

    def _begin_at(self, kept: Kept, claim: Claim) -> None:
        _log.info(
            "begun from the snapshot",
            partition=self._partition,
            log_sequence=kept.place.end.log_sequence,
        )
        self._file.begin_at(
            Status(place=kept.place, revision=kept.revision, owner=claim.owner, partial=True)
        )
        self._forget()
        self.place = kept.place

    def _forget(self) -> None:
        self._recent.clear()
        self._changed.clear()
        self._possible.clear()

    def _learn_keys(self) -> None:
        keys = list(islice(self._file.all_keys(), _LEARNT_KEYS + 1))
        if len(keys) > _LEARNT_KEYS:
            self._possible.add_all()
        else:
            self._possible.add(Key(_KINDS[kind], one, other) for one, kind, other in keys)

    def _read(self, key: Key) -> Entity | None:
        place = (key.account_id, key.kind.__name__, key.entity_id)
        value = (self._borrowing or self._file).find(*place)
        if value is None:
            return None
        entity: Entity = msgpack.decode(value, type=_KINDS[place[1]])
        return entity
