"""Stores what a check needs from the complete log on disk, so that memory stays bounded."""

from __future__ import annotations

import sqlite3
import weakref
from hashlib import blake2b
from typing import TypeVar

from msgspec import Struct, msgpack

T = TypeVar("T", bound=Struct)

_CACHE_KIB = 16_000
_KEEP = "INSERT OR REPLACE INTO kept (key, value) VALUES (?, ?)"
_ADD = "INSERT OR IGNORE INTO kept (key, value) VALUES (?, x'')"
_FIND = "SELECT value FROM kept WHERE key = ?"


class Scratch:
    """Keys, and values by key, in a temporary file that ends with the process.

    A key consists of texts; 128 bits of its digest are stored.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute(
            "CREATE TABLE kept (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
        )
        # One transaction that is never committed: a commit for every row would cost most.
        self._database.execute("BEGIN")
        weakref.finalize(self, self._database.close)

    def add(self, *key: str) -> bool:
        """Store the key; False if it was known."""
        return self._database.execute(_ADD, (_digest(key),)).rowcount == 1

    def has(self, *key: str) -> bool:
        """Is the key known?"""
        return self._database.execute(_FIND, (_digest(key),)).fetchone() is not None

    def find(self, kind: type[T], *key: str) -> T | None:
        """The value of the key."""
        row = self._database.execute(_FIND, (_digest(key),)).fetchone()
        return None if row is None else msgpack.decode(row[0], type=kind)

    def keep(self, value: Struct, *key: str) -> None:
        """Store the value of the key, and replace an earlier one."""
        self._database.execute(_KEEP, (_digest(key), msgpack.encode(value)))


def _digest(key: tuple[str, ...]) -> bytes:
    text = "".join(f"{len(part)}:{part}" for part in key)
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
