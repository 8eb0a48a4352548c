"""Keeps what a check needs to know about some accounts, in memory and as bytes."""

from __future__ import annotations

from hashlib import blake2b
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T", bound=Struct)

_Key = tuple[str, ...]


class Kept:
    """Keys, and values by key. A key consists of texts; of one without a value 128 bits of its
    digest are kept.
    """

    def __init__(self) -> None:
        self._values: dict[_Key, Struct] = {}
        self._known: set[bytes] = set()

    def add(self, *key: str) -> bool:
        """Keep the key; False if it was known."""
        before = len(self._known)
        self._known.add(_digest(key))
        return len(self._known) > before

    def has(self, *key: str) -> bool:
        """Was the key added?"""
        return _digest(key) in self._known

    def find(self, kind: type[T], *key: str) -> T | None:
        """The value of the key."""
        found = self._values.get(key)
        assert found is None or isinstance(found, kind)
        return found

    def keep(self, value: Struct, *key: str) -> None:
        """Keep the value of the key, in place of an earlier one."""
        self._values[key] = value


def _digest(key: _Key) -> bytes:
    text = "".join([f"{len(part)}:{part}" for part in key])
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
