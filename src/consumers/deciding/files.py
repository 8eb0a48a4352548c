"""The file of a partition's store: its entities and how far they were folded, in SQLite.

Every written row has the next revision. So what was written since a revision is a range of the
table, which a snapshot is brought up to date with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

from msgspec import Struct, msgpack
from msgspec.structs import replace

from consumers.deciding.recording import ChainEnd
from ledger.log.failpoints import passing

FORMAT = 7
"""Of the entities."""
_LAYOUT = 1
"""Of the tables."""
_PAGE_CACHE_KIB = 32 * 1024
"""Of all partitions of a process together."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entities (
    revision INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL, kind TEXT NOT NULL, entity_id TEXT NOT NULL, value BLOB NOT NULL,
    UNIQUE (account_id, kind, entity_id)
);
CREATE TABLE IF NOT EXISTS place (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    value BLOB NOT NULL, revision INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS owner (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), opening TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS snapshot (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    owner TEXT NOT NULL, partial INTEGER NOT NULL
);
INSERT OR IGNORE INTO snapshot VALUES (1, '', 0);
CREATE TABLE IF NOT EXISTS whole_accounts (account_id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_FIND = "SELECT value FROM entities WHERE account_id = ? AND kind = ? AND entity_id = ?"
_TAKE_OVER = "INSERT OR REPLACE INTO owner VALUES (1, ?)"
_KEEP = "INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?, ?)"
_ADD = "INSERT OR IGNORE INTO entities VALUES (?, ?, ?, ?, ?)"
_KEEP_PLACE = "INSERT OR REPLACE INTO place VALUES (1, ?, ?)"
_KEEP_SNAPSHOT = "INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?)"
_NOTE_OWNER = """
UPDATE snapshot SET owner = ?
WHERE partial = 0 AND owner = ? AND (SELECT opening FROM owner) = ?
"""
_STATUS = """
SELECT place.value, coalesce(place.revision, 0),
    snapshot.owner, snapshot.partial, owner.opening
FROM snapshot JOIN owner ON true LEFT JOIN place ON true
"""
_SINCE = "SELECT account_id, kind, entity_id, value FROM entities WHERE revision > ?"
_IN_ORDER = """
SELECT account_id, kind, entity_id, value FROM entities ORDER BY account_id, kind, entity_id
"""

Row = tuple[str, str, str, bytes]
"""An entity as it is stored: account id, kind, id, value."""


class Place(Struct, frozen=True, kw_only=True):
    """How far a store has folded: the chain's end, and an offset of the events partition at or
    before that last event, from where a restore reads and finds that event.
    """

    topic_id: str
    from_offset: int = 0
    end: ChainEnd = ChainEnd()
    format: int = FORMAT

    def is_of(self, topic_id: str) -> bool:
        """Whether a store of this topic may begin here: not from another topic or form."""
        return self.topic_id == topic_id and self.format == FORMAT


NOWHERE = Place(topic_id="")
"""Of a file that has nothing."""
EVERYTHING = -1
"""Since this revision all of a whole file was written."""


class Status(Struct, frozen=True, kw_only=True):
    """What a file holds.

    A snapshot with the same `owner` lacks at most the rows after its revision. In a `partial` file,
    entities that did not change since it began are still in the snapshot alone, except those of the
    accounts that are here as a whole. `opening` is that of its last owner.
    """

    place: Place
    revision: int = 0
    owner: str = ""
    partial: bool = False
    opening: str = ""


class StoreTaken(Exception):
    """Another process has opened this store; the earlier owner must end."""


def path_in(folder: Path, partition: int) -> Path:
    """Where the file of a partition is."""
    return folder / f"partition-{partition}.sqlite"


class StateFile:
    """One partition's file, or the same in memory; opening it takes it over from its last owner.

    On one machine, a partition's file moves to the next owner of the partition. So a process that
    was paused after its last commit cannot write older entities over newer ones.
    """

    def __init__(self, path: Path | None, patience_seconds: float, sharing: int = 4) -> None:
        self.path = path
        self._patience_seconds = patience_seconds
        self._page_cache_kib = _PAGE_CACHE_KIB // sharing
        self._opening = ""
        self._database = self._open()
        self.status = _status_in(self._database)

    def find(self, account_id: str, kind: str, entity_id: str) -> bytes | None:
        """The value of an entity."""
        row = self._database.execute(_FIND, (account_id, kind, entity_id)).fetchone()
        return None if row is None else row[0]

    def all_keys(self) -> Iterator[tuple[str, str, str]]:
        """Account id, kind and id of everything."""
        return self._database.execute("SELECT account_id, kind, entity_id FROM entities")

    def keep(self, rows: Sequence[Row], place: Place) -> None:
        """Write entities and their place together."""
        first = self.status.revision + 1
        numbered = [(number, *row) for number, row in enumerate(rows, first)]
        revision = self.status.revision + len(rows)
        with self._transaction():
            self._database.executemany(_KEEP, numbered)
            passing("store.rows")
            self._database.execute(_KEEP_PLACE, (msgpack.encode(place), revision))
            passing("store.place")
        passing("store.committed")
        self.status = replace(self.status, place=place, revision=revision)

    def begin_at(self, status: Status) -> None:
        """Begin anew, from a snapshot with this place and revision."""
        self.clear()
        with self._transaction():
            encoded = msgpack.encode(status.place)
            self._database.execute(_KEEP_PLACE, (encoded, status.revision))
            self._database.execute(_KEEP_SNAPSHOT, (status.owner, status.partial))
        self.status = _status_in(self._database)

    def belong_to(self, owner: str) -> None:
        """Note whose snapshot has all but the newest revisions."""
        if owner != self.status.owner:
            with self._transaction():
                self._database.execute(_KEEP_SNAPSHOT, (owner, self.status.partial))
            self.status = replace(self.status, owner=owner)

    def add(self, rows: Iterable[Row], whole: Iterable[str]) -> None:
        """Add what the snapshot has, below every revision; what changed here since stays. After it,
        the `whole` accounts are here with all their entities.
        """
        with self._transaction():
            lowest = self._lowest()
            for number, row in enumerate(rows, 1):
                self._database.execute(_ADD, (lowest - number, *row))
            self._database.executemany(
                "INSERT OR IGNORE INTO whole_accounts VALUES (?)", [(each,) for each in whole]
            )

    def has_whole(self, account_id: str) -> bool:
        """Whether all entities of the account are here, in a partial file."""
        query = "SELECT 1 FROM whole_accounts WHERE account_id = ?"
        return self._database.execute(query, (account_id,)).fetchone() is not None

    def clear(self) -> None:
        """Delete everything."""
        self._database.close()
        self._delete()
        self._database = self._open()
        self.status = _status_in(self._database)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Everything or nothing, and only as long as the file is ours."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            (opening,) = self._database.execute("SELECT opening FROM owner").fetchone()
            if opening != self._opening:
                raise StoreTaken(f"{self.path}: another process has taken over this store")
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError:  # damaged, or locked by a paused process: it is only a cache
            self._delete()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self.path or ":memory:", timeout=self._patience_seconds, isolation_level=None
        )
        (layout,) = database.execute("PRAGMA user_version").fetchone()
        tables = database.execute("SELECT 1 FROM sqlite_master").fetchone()
        if tables and layout != _LAYOUT:
            database.close()
            raise sqlite3.DatabaseError("the file of another release")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA cache_size = -{self._page_cache_kib}")
        database.executescript(_SCHEMA)
        database.execute(f"PRAGMA user_version = {_LAYOUT}")
        self._opening = uuid4().hex
        database.execute(_TAKE_OVER, (self._opening,))
        return database

    def _lowest(self) -> int:
        """The lowest revision in the table, at most 0."""
        (least,) = self._database.execute("SELECT min(revision) FROM entities").fetchone()
        return min(0, least or 0)

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm") if self.path is not None else ():
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


class FileView:
    """A file as it is at one moment, read beside its owner, which goes on writing."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.status = _status_in(database)

    def rows_since(self, revision: int) -> Iterator[Row]:
        """What was written after that revision, each as it is now."""
        return self._database.execute(_SINCE, (revision,))

    def rows_in_order(self) -> Iterator[Row]:
        """Everything, in the order of the keys."""
        return self._database.execute(_IN_ORDER)


@contextmanager
def view_of(path: Path) -> Iterator[FileView]:
    """Look at a file beside its owner."""
    with _beside(path) as database:
        database.execute("BEGIN")
        yield FileView(database)


def note_owner(path: Path, owner: str, seen: Status) -> None:
    """As `StateFile.belong_to`, beside the file's owner; nothing if it is no longer as it was
    seen.
    """
    with _beside(path) as database:
        database.execute(_NOTE_OWNER, (owner, seen.owner, seen.opening))


@contextmanager
def _beside(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there."""
    where = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(where, uri=True, isolation_level=None)) as database:
        yield database


def _status_in(database: sqlite3.Connection) -> Status:
    value, revision, owner, partial, opening = database.execute(_STATUS).fetchone()
    place = NOWHERE if value is None else msgpack.decode(value, type=Place)
    return Status(
        place=place, revision=revision, owner=owner, partial=bool(partial), opening=opening
    )
