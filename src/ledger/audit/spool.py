"""Keeps bytes on disk, separated by slices of accounts, so that a log is read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from tempfile import TemporaryFile

from msgspec import msgpack

_WAITING_BYTES = 16 * 1024 * 1024


class Spool:
    """Values by slice, in a nameless file that is gone with the process.

    Values of one slice come back in the order in which they were put. What waits to be written is
    bounded over all slices, so that thousands of them cost no more memory than one.
    """

    def __init__(self, waiting_bytes: int = _WAITING_BYTES) -> None:
        self._file = TemporaryFile(prefix="refunds-spool-")  # noqa: SIM115  # closed by `close`
        self._waiting_bytes = waiting_bytes
        self._waiting: defaultdict[int, list[bytes]] = defaultdict(list)
        self._size = 0
        self._chunks: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)

    def put(self, number: int, value: bytes) -> None:
        """Keep a value in that slice."""
        self._waiting[number].append(value)
        self._size += len(value)
        if self._size >= self._waiting_bytes:
            self._write()

    def take(self, number: int) -> Iterator[bytes]:
        """The values of a slice, in order."""
        for place, length in self._chunks[number]:
            self._file.seek(place)
            yield from msgpack.decode(self._file.read(length), type=list[bytes])
        yield from self._waiting[number]

    def close(self) -> None:
        """Delete the file."""
        self._file.close()

    def _write(self) -> None:
        for number, values in self._waiting.items():
            chunk = msgpack.encode(values)
            self._chunks[number].append((self._file.seek(0, 2), len(chunk)))
            self._file.write(chunk)
        self._waiting.clear()
        self._size = 0
