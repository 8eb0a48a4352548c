"""The decider's store: the state of one partition on disk, with a cache in memory.

It is a cache of the events topic: it changes only by committed events, stores its position, and may
be deleted at any time. One SQLite file per partition.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar, cast

from msgspec import Struct, msgpack

from consumers.deciding.recording import ChainEnd
from ledger.log.failpoints import passing
from ledger.state import Change, Key
from ledger.state.entities import Entity

E = TypeVar("E", bound=Entity)

_FORMAT = 7
_CACHED_ENTITIES = 100_000
_INDEXED_KEYS = 250_000
"""Up to this many entities, the memory also knows which keys do not exist."""
_PAGE_CACHE_KIB = 16 * 1024
_UNKNOWN = object()
_KINDS: dict[str, type[Entity]] = {kind.__name__: kind for kind in Entity.__args__}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entities (
    kind TEXT NOT NULL, account_id TEXT NOT NULL, entity_id TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (kind, account_id, entity_id)
);
CREATE TABLE IF NOT EXISTS place (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), value BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS owner (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), takeovers INTEGER NOT NULL
);
"""
_FIND = "SELECT value FROM entities WHERE kind = ? AND account_id = ? AND entity_id = ?"
_KEYS = "SELECT kind, account_id, entity_id FROM entities"
_TAKE_OVER = """
INSERT INTO owner VALUES (1, 1) ON CONFLICT (only_row) DO UPDATE SET takeovers = takeovers + 1
RETURNING takeovers
"""
_OWNED_BY = "SELECT takeovers FROM owner"
_KEEP = "INSERT OR REPLACE INTO entities (kind, account_id, entity_id, value) VALUES (?, ?, ?, ?)"


class Place(Struct, frozen=True, kw_only=True):
    """How far a store has folded: the chain's end, and an offset of the events partition at or
    before that last event, from where a restore reads and finds that event.
    """

    topic_id: str
    from_offset: int = 0
    end: ChainEnd = ChainEnd()
    format: int = _FORMAT


class StoreTaken(Exception):
    """Another process has opened this store; the earlier owner must end."""


class Store:
    """A partition's state; satisfies `ledger.state.State`.

    `apply` changes it in memory, `save` makes it durable; after a crash in between, the events
    topic still has everything. Without a folder it is kept only in memory.

    On one machine, a partition's file moves to the next owner of the partition. Opening a file
    takes it over. So a process that was paused after its last commit cannot write older entities
    over newer ones: it finds that the file has another owner.
    """

    def __init__(
        self,
        folder: Path | None,
        partition: int,
        topic_id: str,
        patience_seconds: float = 1.0,
    ) -> None:
        self._path: Path | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._path = folder / f"partition-{partition}.sqlite"
        self._topic_id = topic_id
        self._cache: dict[Key, Entity | None] = {}
        self._hashes: set[int] | None = set()
        self._changed: set[Key] = set()
        self._undo: list[tuple[Key, Entity | None]] = []
        self._patience_seconds = patience_seconds
        self._takeover = 0
        self._database = self._open()
        self._remember(self._keys())
        self.place = self._load_place()
        if self.place.topic_id != topic_id or self.place.format != _FORMAT:
            self.clear()

    def find(self, kind: type[E], account_id: str, entity_id: str) -> E | None:
        """The entity of that kind and id in the account, or None."""
        place = (kind, account_id, entity_id)  # equal to its Key, and created in half the time
        found = self._cache.get(place, _UNKNOWN)  # type: ignore[call-overload]  # as said
        if found is _UNKNOWN:
            if self._hashes is not None and hash(place) not in self._hashes:
                return None
            key = Key(*place)
            found = self._cache[key] = self._read(key)
        return cast("E | None", found)

    def apply(self, changes: Iterable[Change]) -> None:
        """Apply the changes of an event, in memory."""
        cache, changed, undo = self._cache, self._changed, self._undo
        for key, entity in changes:
            undo.append((key, cache.get(key)))
            cache[key] = entity
            changed.add(key)

    def begin(self) -> None:
        """Begin a group of changes that `undo` can reverse."""
        self._undo.clear()

    def undo(self) -> None:
        """Reverse the changes since `begin`."""
        for key, entity in reversed(self._undo):
            if entity is None:
                self._cache.pop(key, None)
            else:
                self._cache[key] = entity
        self._undo.clear()

    def save(self, from_offset: int, end: ChainEnd) -> None:
        """Make all changes durable, with their position, in one transaction."""
        self.place = Place(topic_id=self._topic_id, from_offset=from_offset, end=end)
        rows = [
            (key.kind.__name__, key.account_id, key.entity_id, msgpack.encode(entity))
            for key in self._changed
            if (entity := self._cache.get(key)) is not None
        ]
        self._database.execute("BEGIN IMMEDIATE")
        (owner,) = self._database.execute(_OWNED_BY).fetchone()
        if owner != self._takeover:
            self._database.execute("ROLLBACK")
            raise StoreTaken(f"{self._path}: another process has taken over this store")
        self._database.executemany(_KEEP, rows)
        passing("store.rows")
        self._database.execute(
            "INSERT OR REPLACE INTO place VALUES (1, ?)", (msgpack.encode(self.place),)
        )
        passing("store.place")
        self._database.execute("COMMIT")
        passing("store.committed")
        self._remember(self._changed)
        self._changed.clear()
        self._undo.clear()
        if len(self._cache) > _CACHED_ENTITIES:
            self._cache.clear()

    def clear(self) -> None:
        """Delete everything; the state will be folded again from the first event."""
        self._database.close()
        self._delete()
        self._cache.clear()
        self._changed.clear()
        self._hashes = set()
        self._database = self._open()
        self.place = Place(topic_id=self._topic_id)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError:  # damaged, or locked by a paused process: it is only a cache
            self._delete()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self._path or ":memory:", timeout=self._patience_seconds, isolation_level=None
        )
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA cache_size = -{_PAGE_CACHE_KIB}")
        database.executescript(_SCHEMA)
        (self._takeover,) = database.execute(_TAKE_OVER).fetchone()
        return database

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm") if self._path is not None else ():
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def _load_place(self) -> Place:
        row = self._database.execute("SELECT value FROM place").fetchone()
        if row is None:
            return Place(topic_id=self._topic_id)
        return msgpack.decode(row[0], type=Place)

    def _keys(self) -> Iterator[Key]:
        for kind, account_id, entity_id in self._database.execute(_KEYS):
            yield Key(_KINDS[kind], account_id, entity_id)

    def _remember(self, keys: Iterable[Key]) -> None:
        """Remember that these keys are in the file; if there are too many, always query the
        file.
        """
        for key in keys:
            if self._hashes is None:
                return
            self._hashes.add(hash(key))
            if len(self._hashes) > _INDEXED_KEYS:
                self._hashes = None

    def _read(self, key: Key) -> Entity | None:
        name = key.kind.__name__
        row = self._database.execute(_FIND, (name, key.account_id, key.entity_id)).fetchone()
        if row is None:
            return None
        entity: Entity = msgpack.decode(row[0], type=_KINDS[name])
        return entity
