"""Headers as texts, and the positions that they name."""

from __future__ import annotations

from msgspec import Struct

from ledger.log.seam import Headers


class Place(Struct, frozen=True, kw_only=True, order=True):
    """The position of a record in the commands topic. It names a letter, as `partition:offset`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


def named(names: tuple[str, ...], values: tuple[str, ...]) -> Headers:
    """Headers with these names and texts."""
    pairs = zip(names, values, strict=True)
    return tuple((name, text.encode(errors="replace")) for name, text in pairs)


def texts_of(headers: Headers) -> dict[str, str]:
    """The last text of each name."""
    return {name: value.decode(errors="replace") for name, value in headers}


def place_of(partition: str, offset: str) -> Place | None:
    """The position from two texts; None if they are not numbers."""
    if not (is_number(partition) and is_number(offset)):
        return None
    return Place(partition=int(partition), offset=int(offset))


def is_number(text: str) -> bool:
    """Whether a text is a number that a partition or an offset may have."""
    return text.isascii() and text.isdigit() and len(text) < 19
