"""Keeps what was decoded of a partition on disk, divided into slices of its accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

from msgspec import Raw, Struct, msgpack

from ledger.audit.evidence import Seen, SeenCommand, SeenDeadLetter, SeenEvent
from ledger.audit.spool import Spool
from ledger.log.seam import LogRecord
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import CommandMeta, EventMeta, GivenCommand
from ledger.vocabulary.events import EVENTS

SLICE_RECORDS = 30_000
"""So many records' accounts are in memory at once, about: some 60 MB."""

_LETTER = ""
_EVENT_META = msgpack.Decoder(EventMeta)
_COMMAND_META = msgpack.Decoder(CommandMeta)
_BODIES: dict[str, msgpack.Decoder[Any]] = {
    name: msgpack.Decoder(kind) for name, kind in (*COMMANDS.items(), *EVENTS.items())
}


class _Item(Struct, array_like=True):
    """A step. `name` is that of its command or event; `flag` says that a command is due, or that an
    event is apart from its command.
    """

    number: int
    offset: int
    name: str
    meta: Raw
    body: Raw
    digest: bytes
    flag: bool


class AccountSpool:
    """The readable commands of a partition, its events and dead letters, by slice of accounts.

    They come back with their numbers, in order, decoded, and without the bytes of their records.
    """

    def __init__(self, partition: int, slices: int) -> None:
        self.slices = slices
        self._partition = partition
        self._spool = Spool()
        self._encode = msgpack.Encoder().encode
        self._items = msgpack.Decoder(_Item)
        self._slice_of_command = 0
        self._command_offset = -1

    def put(self, number: int, seen: Seen) -> None:
        """Keep a step with its number, if it is of an account."""
        if isinstance(seen, SeenCommand):
            self._command_offset = seen.record.offset
        match seen:
            case SeenCommand(given=GivenCommand(meta=meta, body=body)):
                self._slice_of_command = self._slice(meta.account_id)
                name, rest = type(body).__name__, (seen.digest, seen.due)
                kept = self._encode((number, seen.record.offset, name, meta, body, *rest))
                self._spool.put(self._slice_of_command, kept)
            case SeenEvent(meta=event_meta, body=event):
                apart = event_meta.source_offset != self._command_offset
                name, rest = type(event).__name__, (b"", apart)
                kept = self._encode((number, seen.record.offset, name, event_meta, event, *rest))
                self._spool.put(self._slice(event_meta.account_id), kept)
            case SeenDeadLetter(source_offset=source):
                kept = self._encode((number, seen.record.offset, _LETTER, source, None, b"", True))
                self._spool.put(self._slice_of_command, kept)
            case _:
                return

    def take(self, number: int) -> Iterator[tuple[int, Seen]]:
        """The steps of a slice."""
        for kept in self._spool.take(number):
            item = self._items.decode(kept)
            yield item.number, self._seen(item)

    def close(self) -> None:
        """Delete the file."""
        self._spool.close()

    def _slice(self, account_id: str) -> int:
        return crc32(account_id.encode(errors="surrogatepass")) % self.slices

    def _seen(self, item: _Item) -> Seen:
        if item.name == _LETTER:
            source = msgpack.decode(item.meta, type=int | None)
            return SeenDeadLetter(record=self._record(item, ""), source_offset=source)
        body = _BODIES[item.name].decode(item.body)
        if item.name in EVENTS:
            meta = _EVENT_META.decode(item.meta)
            record = self._record(item, meta.account_id)
            return SeenEvent(record=record, meta=meta, body=body, apart=item.flag)
        asked = _COMMAND_META.decode(item.meta)
        return SeenCommand(
            record=self._record(item, asked.account_id),
            given=GivenCommand(meta=asked, body=body),
            digest=item.digest,
            problem="",
            due=item.flag,
        )

    def _record(self, item: _Item, account_id: str) -> LogRecord:
        return LogRecord(
            partition=self._partition,
            offset=item.offset,
            appended_at=0,
            key=account_id.encode(errors="surrogatepass"),
            value=None,
        )
