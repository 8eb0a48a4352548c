"""What a store has of its file in memory: the entities used last, and which keys there may be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from ledger.state import Key
from ledger.state.entities import Entity

Place = tuple[type[object], str, str]
"""Equal to its Key, and created in half the time."""

UNKNOWN = object()
"""Not in memory: it may be in the file, or not."""
RECENT_ENTITIES = 65_536
"""Of all partitions of a process together; twice as many stay, of 700 bytes on average."""
KEY_BITS = 1 << 25
"""The same for the bits about keys: 4 MB."""


class Recent:
    """The entities that were used last, and keys that are known to have none.

    Two generations of at most `size`: what is found in the older moves to the younger; when the
    younger is full, the older is dropped and the younger becomes the older. So memory is bounded,
    what is in use stays, and nothing is searched for what was used longest ago.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._younger: dict[Place, Entity | None] = {}
        self._older: dict[Place, Entity | None] = {}

    def find(self, place: Place) -> object:
        """The entity, None if there is none, or UNKNOWN."""
        found = self._younger.get(place, UNKNOWN)
        if found is UNKNOWN and self._older:
            found = self._older.get(place, UNKNOWN)
            if found is not UNKNOWN:
                self._younger[place] = cast("Entity | None", found)
        return found

    def keep(self, place: Place, entity: Entity | None) -> None:
        """From now on this is the entity."""
        self._younger[place] = entity

    def drop(self, place: Place) -> None:
        """Nothing is known of this key any more."""
        self._younger.pop(place, None)
        self._older.pop(place, None)

    def age(self) -> None:
        """Drop the older generation if the younger is full: only when all is saved."""
        if len(self._younger) >= self._size:
            self._older, self._younger = self._younger, {}

    def clear(self) -> None:
        """Drop everything."""
        self._younger, self._older = {}, {}


class PossibleKeys:
    """The keys that a file may have: a Bloom filter with two bits a key.

    It never says no to a key that was added. Of others it says no to 97 % with a key for each ten
    bits and to 80 % with one for each three; that saves a query, which takes ten times as long.
    """

    def __init__(self, bits: int) -> None:
        self._shift = max(3, bits.bit_length() - 1)
        self._mask = (1 << self._shift) - 1
        self.clear()

    def add(self, keys: Iterable[Key]) -> None:
        """These are in the file."""
        bits, mask, shift = self._bits, self._mask, self._shift
        for key in keys:
            number = hash(key)
            first, second = number & mask, (number >> shift) & mask
            bits[first >> 3] |= 1 << (first & 7)
            bits[second >> 3] |= 1 << (second & 7)

    def clear(self) -> None:
        """There are none."""
        self._bits = bytearray(1 << self._shift >> 3)
        self._all = False

    def add_all(self) -> None:
        """From now on any key may be there."""
        self._all = True

    def __contains__(self, place: Place) -> bool:
        number = hash(place)
        first = number & self._mask
        if not self._bits[first >> 3] >> (first & 7) & 1:
            return self._all
        second = (number >> self._shift) & self._mask
        return self._all or bool(self._bits[second >> 3] >> (second & 7) & 1)
