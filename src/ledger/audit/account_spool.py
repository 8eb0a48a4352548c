"""Keeps what was decoded of a partition on disk, divided into slices of its accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Union
from zlib import crc32

from msgspec import Struct, defstruct, msgpack

from ledger.audit.evidence import Seen, SeenCommand, SeenDeadLetter, SeenEvent
from ledger.audit.spool import Spool
from ledger.log.seam import LogRecord
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import CommandMeta, EventMeta, GivenCommand
from ledger.vocabulary.events import EVENTS

SLICE_RECORDS = 30_000
"""So many records' accounts are in memory at once, about: some 60 MB."""


class _Letter(Struct, array_like=True, tag=""):
    number: int
    offset: int
    source_offset: int | None


def _shape(kind: type[Struct]) -> Any:
    """What is kept of a step: a class for each command and event, so that a step is decoded by one
    call. `flag` says that a command is due, or that an event is apart from its command.
    """
    meta = CommandMeta if kind in _COMMANDS else EventMeta
    fields = [("number", int), ("offset", int), ("meta", meta), ("body", kind), ("digest", bytes)]
    return defstruct(kind.__name__, [*fields, ("flag", bool)], array_like=True, tag=kind.__name__)


_COMMANDS: frozenset[type[Struct]] = frozenset(COMMANDS.values())
_SHAPES = {kind: _shape(kind) for kind in (*COMMANDS.values(), *EVENTS.values())}
_ITEMS = msgpack.Decoder(Union[(_Letter, *_SHAPES.values())])  # made at run time


class AccountSpool:
    """The readable commands of a partition, its events and dead letters, by slice of accounts.

    They come back with their numbers, in order, decoded, and without the bytes of their records.
    """

    def __init__(self, partition: int, slices: int) -> None:
        self.slices = slices
        self._partition = partition
        self._spool = Spool()
        self._encode = msgpack.Encoder().encode
        self._slice_of_command = 0
        self._command_offset = -1

    def put(self, number: int, seen: Seen) -> None:
        """Keep a step with its number, if it is of an account."""
        if isinstance(seen, SeenEvent):
            meta, body, offset = seen.meta, seen.body, seen.record.offset
            apart = meta.source_offset != self._command_offset
            item = _SHAPES[type(body)](number, offset, meta, body, b"", apart)
            self._spool.put(self._slice(meta.account_id), self._encode(item))
        elif isinstance(seen, SeenCommand):
            self._command_offset = offset = seen.record.offset
            if seen.given is not None:
                asked, given = seen.given.meta, seen.given.body
                self._slice_of_command = self._slice(asked.account_id)
                item = _SHAPES[type(given)](number, offset, asked, given, seen.digest, seen.due)
                self._spool.put(self._slice_of_command, self._encode(item))
        elif isinstance(seen, SeenDeadLetter):
            letter = _Letter(number, seen.record.offset, seen.source_offset)
            self._spool.put(self._slice_of_command, self._encode(letter))

    def take(self, number: int) -> Iterator[tuple[int, Seen]]:
        """The steps of a slice."""
        for kept in self._spool.take(number):
            item = _ITEMS.decode(kept)
            yield item.number, self._seen(item)

    def close(self) -> None:
        """Delete the file."""
        self._spool.close()

    def _slice(self, account_id: str) -> int:
        return crc32(account_id.encode(errors="surrogatepass")) % self.slices

    def _seen(self, item: Any) -> Seen:
        if isinstance(item, _Letter):
            record = self._record(item.offset, "")
            return SeenDeadLetter(record=record, source_offset=item.source_offset)
        meta, body = item.meta, item.body
        record = self._record(item.offset, meta.account_id)
        if isinstance(meta, EventMeta):
            return SeenEvent(record=record, meta=meta, body=body, apart=item.flag)
        return SeenCommand(
            record=record,
            given=GivenCommand(meta=meta, body=body),
            digest=item.digest,
            problem="",
            due=item.flag,
        )

    def _record(self, offset: int, account_id: str) -> LogRecord:
        return LogRecord(
            partition=self._partition,
            offset=offset,
            appended_at=0,
            key=account_id.encode(errors="surrogatepass"),
            value=None,
        )
