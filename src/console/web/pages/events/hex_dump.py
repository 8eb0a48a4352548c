"""Bytes as rows of hexadecimal digits, with the characters that they are in ASCII."""

from __future__ import annotations

from collections.abc import Iterator

_ROW, MOST_BYTES = 16, 8_192


def hex_rows(value: bytes) -> Iterator[tuple[str, str, str]]:
    """Position, bytes, characters; of a long value the beginning."""
    for start in range(0, min(len(value), MOST_BYTES), _ROW):
        row = value[start : start + _ROW]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{start:06x}", row.hex(" "), text
