"""The form of a record as a decider sees it: frame, schema, faults, and odd headers."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from consumers.deciding.recording import Examined, Taker, examined
from ledger.log.seam import LogRecord
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.sealing import clear_texts
from ledger.wire.avro.codec import (
    UnreadableRecord,
    schema_of,
)
from ledger.wire.avro.framing import frame_of, schema_id_in
from ledger.wire.avro.schema_files import Family
from ledger.wire.cloud_events import headers_for_command


class Form(Struct, frozen=True, kw_only=True):
    """One record. With a fault it would be a dead letter, by the first; a note changes nothing.

    `schema` is name and version, where the frame names one of ours; `meta` is there where the value
    can be read; `origin` is origin and key where they are proven.
    """

    record: LogRecord
    frame: str
    schema: tuple[str, int] | None
    meta: CommandMeta | None
    origin: str
    faults: tuple[UnreadableRecord, ...]
    notes: tuple[str, ...]


def form_of(record: LogRecord, taker: Taker, *, texts_sealed: bool = False) -> Form:
    """Look at one record as its partition's decider would. Raises RegistryUnavailable.

    Where texts must be sealed, one in clear is a note: no decider refuses it.
    """
    seen = examined(record, taker)
    given, proven = seen.given, seen.proven
    return Form(
        record=record,
        frame=_frame_told(record.value or b""),
        schema=_schema(record.value),
        meta=None if given is None else given.meta,
        origin=f"{proven.origin}/{proven.key_id}" if proven.origin else "",
        faults=seen.faults,
        notes=tuple(_notes(record, seen, texts_sealed=texts_sealed)),
    )


def _notes(record: LogRecord, seen: Examined, *, texts_sealed: bool) -> Iterator[str]:
    if seen.given is not None:
        yield from _header_notes(record, seen.given)
        if texts_sealed:
            for field in clear_texts(seen.given):
                yield f"{field} is in clear and can never be erased; leave it away, or seal it"
    if seen.doubt is not None and not seen.faults:
        yield str(seen.doubt)


def _schema(value: bytes | None) -> tuple[str, int] | None:
    try:
        return schema_of(Family.COMMANDS, value)
    except UnreadableRecord:
        return None


def _frame_told(value: bytes) -> str:
    frame = frame_of(value)
    if not frame:
        return "none"
    schema_id = schema_id_in(frame)
    return "fingerprint" if schema_id is None else f"registry id {schema_id}"


def _header_notes(record: LogRecord, given: GivenCommand) -> Iterator[str]:
    """Headers that others route by; the decider itself reads `traceparent` alone."""
    found = dict(record.headers)
    for name, expected in headers_for_command(given):
        if name not in found:
            yield f"header {name} is missing; others expect {expected.decode()}"
        elif found[name] != expected:
            told = found[name].decode(errors="backslashreplace")[:100]
            yield f"header {name} is {told}; others expect {expected.decode()}"
