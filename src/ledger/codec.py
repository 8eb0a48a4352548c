"""Commands and events as bytes: Avro single-object encoding in and out, and CloudEvents headers.

The only file that knows fastavro. Bytes are read with our own schemas alone, found by the
fingerprint in front of the body, and never with a schema that came over the wire. Instants are read
as plain integers: logical types cost five times the time of everything else.
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from hashlib import sha256
from io import BytesIO
from typing import Any, NamedTuple, cast
from urllib.parse import quote

import fastavro
import msgspec
from fastavro.schema import fingerprint, to_parsing_canonical_form

from ledger.commands import COMMANDS
from ledger.envelope import CommandMeta, EventMeta, GivenCommand, RecordedEvent
from ledger.events import EVENTS
from ledger.log import Headers
from ledger.schema_files import Family, schema_file, schema_root, versions_of
from ledger.validation import problems_of

MAX_RECORD_BYTES = 1 << 20
"""A longer record is not read at all."""

CONTENT_TYPE = b"application/avro"

_MARKER = b"\xc3\x01"
_FRAME_BYTES = 10


class Unreadable(StrEnum):
    """Why a record could not be read. A closed set: it stands in the dead letter's headers."""

    NOT_OURS = "NOT_OURS"
    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"
    TOO_LARGE = "TOO_LARGE"
    UNREADABLE = "UNREADABLE"
    NOT_CANONICAL = "NOT_CANONICAL"
    INVALID_VALUE = "INVALID_VALUE"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    WRONG_KEY = "WRONG_KEY"
    WRONG_PARTITION = "WRONG_PARTITION"
    WRONG_CLOCK = "WRONG_CLOCK"
    NOT_BUILT = "NOT_BUILT"
    BREAKS_THE_CODE = "BREAKS_THE_CODE"


class UnreadableRecord(Exception):
    """A record that is no command or event of ours; `reason` and `detail` say why."""

    def __init__(self, reason: Unreadable, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class _Schema(NamedTuple):
    """One version of one schema, ready to read and write with."""

    name: str
    version: int
    frame: bytes
    parsed: Any
    shape: type[msgspec.Struct]


def encode_command(command: GivenCommand) -> bytes:
    """The record value of a command."""
    schema = _newest(Family.COMMANDS, command.name)
    return schema.frame + _write(schema, _as_dict(command.meta, command.body))


def decode_command(key: bytes | None, value: bytes | None) -> GivenCommand:
    """The command in a record; UnreadableRecord whatever else the record is.

    Commands come from outside, so nothing is believed: the bytes must be the only encoding of what
    they say, the key the account's id, and every value in its range.
    """
    command = read_command(value)
    if key != command.meta.account_id.encode():
        raise UnreadableRecord(
            Unreadable.WRONG_KEY,
            f"{command.name}: the key is not the account id {command.meta.account_id!r}",
        )
    return command


def read_command(value: bytes | None) -> GivenCommand:
    """The command in a value that stands without its key; checked like any other."""
    data = _sized(value)
    schema = _schema_of(Family.COMMANDS, data)
    raw = _read(schema, data)
    if _rewritten(schema, raw) != data[_FRAME_BYTES:]:
        raise UnreadableRecord(
            Unreadable.NOT_CANONICAL, f"{schema.name}: the bytes are not its only encoding"
        )
    command = GivenCommand(
        meta=_convert(schema, raw.pop("meta"), CommandMeta),
        body=_convert(schema, raw, schema.shape),
    )
    if problems := problems_of(command):
        told = "; ".join(f"{p.path} is {p.value}, expected {p.expected}" for p in problems[:3])
        raise UnreadableRecord(Unreadable.OUT_OF_RANGE, f"{schema.name}: {told}")
    return command


def encode_event(event: RecordedEvent) -> tuple[bytes, bytes]:
    """The record value of an event, and the SHA-256 of its Avro body for the chain."""
    schema = _newest(Family.EVENTS, event.name)
    body = _write(schema, _as_dict(event.meta, event.body))
    return schema.frame + body, sha256(body).digest()


def decode_event(value: bytes | None) -> RecordedEvent:
    """The event in a record; UnreadableRecord whatever else the record is.

    Events are guarded by the hash chain, so the bytes are not compared with their re-encoding.
    """
    data = _sized(value)
    schema = _schema_of(Family.EVENTS, data)
    raw = _read(schema, data)
    return RecordedEvent(
        meta=_convert(schema, raw.pop("meta"), EventMeta), body=_convert(schema, raw, schema.shape)
    )


def rewritten_event(value: bytes) -> bytes:
    """An event record written again from what is read of it, with the schema its frame names.

    Other bytes than `value` mean that it is not the one encoding. Raises UnreadableRecord.
    """
    schema = _schema_of(Family.EVENTS, _sized(value))
    return schema.frame + _rewritten(schema, _read(schema, value))


def body_hash(value: bytes) -> bytes:
    """The SHA-256 of an event record's Avro body, as the next event's `prev_hash` has it."""
    return sha256(value[_FRAME_BYTES:]).digest()


def event_name_of(value: bytes | None) -> str:
    """The name of the event in a record by its fingerprint alone, to skip without decoding."""
    return _schema_of(Family.EVENTS, _sized(value)).name


def command_name_of(value: bytes | None) -> str:
    """The name of the command in a record by its fingerprint alone."""
    return _schema_of(Family.COMMANDS, _sized(value)).name


def headers_for_command(command: GivenCommand, traceparent: bytes | None = None) -> Headers:
    """CloudEvents 1.0 binary-mode headers: the required attributes, and the trace if there is one.

    `ce_source` names the account, since a command's id is unique in its account only.
    """
    meta = command.meta
    return _headers(Family.COMMANDS, command.name, meta.command_id, meta.account_id, traceparent)


def headers_for_event(event: RecordedEvent, traceparent: bytes | None = None) -> Headers:
    """CloudEvents 1.0 binary-mode headers, `ce_type` such as `refunds.events.RefundIssued`."""
    meta = event.meta
    return _headers(Family.EVENTS, event.name, meta.event_id, meta.account_id, traceparent)


def _headers(
    family: Family, name: str, record_id: str, account_id: str, traceparent: bytes | None
) -> Headers:
    scope = f"accounts/{quote(account_id, safe='')}" if account_id else "ledger"
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", record_id.encode()),
        ("ce_source", f"/refunds/{scope}".encode()),
        ("ce_type", f"refunds.{family}.{name}".encode()),
        ("content-type", CONTENT_TYPE),
    )
    return headers if traceparent is None else (*headers, ("traceparent", traceparent))


def _sized(value: bytes | None) -> bytes:
    if value is None:
        raise UnreadableRecord(Unreadable.NOT_OURS, "the record has no value")
    if len(value) > MAX_RECORD_BYTES:
        raise UnreadableRecord(
            Unreadable.TOO_LARGE, f"{len(value)} bytes, but at most {MAX_RECORD_BYTES} are read"
        )
    return value


def _schema_of(family: Family, value: bytes) -> _Schema:
    """The schema that a record's frame names: the one place that tells framings apart."""
    frame = value[:_FRAME_BYTES]
    if len(frame) < _FRAME_BYTES or not frame.startswith(_MARKER):
        raise UnreadableRecord(
            Unreadable.NOT_OURS, f"begins with {frame.hex() or 'nothing'}, not Avro's c301"
        )
    schema = _schemas(family).get(frame)
    if schema is None:
        raise UnreadableRecord(
            Unreadable.UNKNOWN_SCHEMA,
            f"no version of our {family} has the fingerprint {frame[2:][::-1].hex()}",
        )
    return schema


def _as_dict(meta: CommandMeta | EventMeta, body: msgspec.Struct) -> dict[str, Any]:
    raw: dict[str, Any] = msgspec.to_builtins(body, builtin_types=(bytes,))
    raw["meta"] = msgspec.to_builtins(meta, builtin_types=(bytes,))
    return raw


def _write(schema: _Schema, raw: dict[str, Any]) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, schema.parsed, raw)
    return out.getvalue()


def _rewritten(schema: _Schema, raw: dict[str, Any]) -> bytes:
    try:
        return _write(schema, raw)
    except Exception as error:
        detail = f"{schema.name}: {error}"
        raise UnreadableRecord(Unreadable.NOT_CANONICAL, detail[:300]) from error


def _read(schema: _Schema, value: bytes) -> dict[str, Any]:
    try:
        raw = fastavro.schemaless_reader(BytesIO(value[_FRAME_BYTES:]), schema.parsed, None)
    except Exception as error:  # hostile bytes raise a dozen types in fastavro, all meaning this
        detail = f"{schema.name}: {type(error).__name__} {error}".rstrip()
        raise UnreadableRecord(Unreadable.UNREADABLE, detail[:300]) from error
    return cast("dict[str, Any]", raw)


def _convert(schema: _Schema, raw: dict[str, Any], shape: Any) -> Any:
    try:
        return msgspec.convert(raw, shape, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        detail = f"{schema.name}: {error}"
        raise UnreadableRecord(Unreadable.INVALID_VALUE, detail[:300]) from error


def _newest(family: Family, name: str) -> _Schema:
    return _newest_of(family)[name]


@cache
def _newest_of(family: Family) -> dict[str, _Schema]:
    """The schema to write with, by name."""
    ascending = sorted(_schemas(family).values(), key=lambda schema: schema.version)
    return {schema.name: schema for schema in ascending}


@cache
def _schemas(family: Family) -> dict[bytes, _Schema]:
    """Every version of every schema, by the ten bytes that stand before a body written with it."""
    root = schema_root()
    shapes: dict[str, Any] = {**(COMMANDS if family is Family.COMMANDS else EVENTS)}
    loaded = [
        _load(schema_file(root, family, name, version).read_text(), version, shape)
        for name, shape in shapes.items()
        for version in versions_of(root, family, name)
    ]
    return {schema.frame: schema for schema in loaded}


def _load(text: str, version: int, shape: type[msgspec.Struct]) -> _Schema:
    schema = json.loads(text)
    canonical = to_parsing_canonical_form(schema)
    return _Schema(
        name=shape.__name__,
        version=version,
        frame=_MARKER + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO")),
        parsed=fastavro.parse_schema(_plain(schema)),
        shape=shape,
    )


def _plain(schema: Any) -> Any:
    """The schema without logical types."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _plain(part) for key, part in schema.items() if key != "logicalType"}
