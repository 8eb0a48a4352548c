"""Derived ids: the same parts always give the same id, so a repeated step repeats its id."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from uuid import UUID, uuid5


def derived_id(*parts: str) -> str:
    """A UUID computed from the parts only: same parts, same id; other parts, another id."""
    text = "".join([f"{len(part)}:{part}" for part in parts])
    text = sha256(text.encode()).hexdigest()
    variant = "89ab"[int(text[16], 16) & 3]  # version 8 by hand: this runs for every event
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def follow_up_id(cause_event_id: str, reaction: str, index: int, attempt: int = 1) -> str:
    """The id of the command that a reaction or timer sends because of an event.

    A command that is sent again because it came too early has the next attempt number; otherwise
    it would be taken for a duplicate.
    """
    name = f"{reaction}:{index}" if attempt == 1 else f"{reaction}:{index}:{attempt}"
    return str(uuid5(UUID(cause_event_id), name))


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partition_count: int) -> int:
    """The partition of a key: Java's murmur2, like Kafka's default partitioner."""
    return (murmur2(key) & 0x7FFFFFFF) % partition_count


def murmur2(key: bytes) -> int:
    """Kafka's 32-bit murmur2 of the bytes, unsigned."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    length = len(key)
    digest = (0x9747B28C ^ length) & mask
    whole = length & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * multiplier & mask
        word = (word ^ (word >> 24)) * multiplier & mask
        digest = (digest * multiplier & mask) ^ word
    if tail := key[whole:]:
        digest = (digest ^ int.from_bytes(tail, "little")) * multiplier & mask
    digest = (digest ^ (digest >> 13)) * multiplier & mask
    return digest ^ (digest >> 15)
