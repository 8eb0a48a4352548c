"""Keeps what a check needs to know about some accounts, in memory and as bytes."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct

T = TypeVar("T", bound=Struct)

_Key = tuple[str | bytes, ...]


class Kept:
    """Keys, and values by key. A key consists of texts and digests."""

    def __init__(self) -> None:
        self._values: dict[_Key, Struct] = {}
        self._known: set[_Key] = set()

    def add(self, *key: str | bytes) -> bool:
        """Keep the key; False if it was known."""
        before = len(self._known)
        self._known.add(key)
        return len(self._known) > before

    def has(self, *key: str | bytes) -> bool:
        """Was the key added?"""
        return key in self._known

    def find(self, kind: type[T], *key: str) -> T | None:
        """The value of the key."""
        found = self._values.get(key)
        assert found is None or isinstance(found, kind)
        return found

    def keep(self, value: Struct, *key: str) -> None:
        """Keep the value of the key, in place of an earlier one."""
        self._values[key] = value
