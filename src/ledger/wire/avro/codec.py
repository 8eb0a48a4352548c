"""Encodes and decodes commands and events: framed Avro.

The only file that imports fastavro. Bytes are read only with our own schemas, never with a schema
from the wire. The schema is found by the fingerprint before the body, or by the fingerprint that a
registry has for the id there.

The usual record is read and written by compiled functions, five times as fast. What they do not
take is read by fastavro, and then its verdict counts. Instants are read as plain integers, because
logical types take five times as long as everything else.
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache, cached_property
from hashlib import sha256
from io import BytesIO
from typing import Any, cast

import fastavro
import msgspec
from fastavro.schema import fingerprint, to_parsing_canonical_form

from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import (
    NEWEST_EDITION,
    CommandMeta,
    EventMeta,
    GivenCommand,
    RecordedEvent,
)
from ledger.vocabulary.events import EVENTS
from ledger.vocabulary.validation import problems_of
from ledger.wire.avro.compiled.reader import Reader, compiled_reader
from ledger.wire.avro.compiled.writer import Writer, compiled_writer
from ledger.wire.avro.framing import (
    FINGERPRINT_MARKER,
    SchemaIds,
    frame_of,
    registry_frame,
    schema_id_in,
)
from ledger.wire.avro.schema_files import Family, schema_file, schema_root, versions_of

MAX_COMMAND_BYTES = 512 * 1024
"""A longer command is not read; an order of a thousand lines is shorter."""
MAX_EVENT_BYTES = 900_000
"""A longer event is never written: with key and headers it must fit the brokers' limit."""
_LIMITS = {Family.COMMANDS: MAX_COMMAND_BYTES, Family.EVENTS: MAX_EVENT_BYTES}


class Unreadable(StrEnum):
    """Why a record could not be read. A fixed list: the dead letter's headers have the reason.

    NOT_BUILT occurs only in old letters: now every command of the contract is decided.
    """

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
    NOT_SIGNED = "NOT_SIGNED"
    UNKNOWN_ORIGIN = "UNKNOWN_ORIGIN"
    KEY_NOT_VALID = "KEY_NOT_VALID"
    WRONG_SIGNATURE = "WRONG_SIGNATURE"
    NOT_ALLOWED = "NOT_ALLOWED"
    NOT_BUILT = "NOT_BUILT"
    BREAKS_THE_CODE = "BREAKS_THE_CODE"


class UnreadableRecord(Exception):
    """A record that is not a command or event of ours; `reason` and `detail` say why."""

    def __init__(self, reason: Unreadable, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class _Schema(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One version of one schema, parsed for fastavro. `frame` has its fingerprint."""

    family: Family
    name: str
    version: int
    frame: bytes
    parsed: Any
    shape: type[msgspec.Struct]

    @property
    def meta_shape(self) -> type[msgspec.Struct]:
        """The class of its first field."""
        return CommandMeta if self.family is Family.COMMANDS else EventMeta

    @cached_property
    def usual_reader(self) -> Reader | None:
        """Compiled when it is first used; None if fastavro must read everything."""
        return compiled_reader(self.parsed, self.meta_shape, self.shape)

    @cached_property
    def usual_writer(self) -> Writer:
        """Compiled when it is first used."""
        return compiled_writer(self.parsed, self.meta_shape, self.shape)


class _World:
    """Settings that a process makes once, before it reads or writes."""

    registry: SchemaIds | None = None


def use_registry(registry: SchemaIds | None) -> None:
    """From now on write and read frames with the registry's ids; None: only fingerprints.

    Called once when a process starts. An id raises UnreadableRecord if there is no registry, or if
    the registry does not have a schema of ours for it.
    """
    _World.registry = registry


def fingerprint_of_text(schema: str) -> bytes | None:
    """The CRC-64-AVRO of a schema's canonical form, little endian; None if it is not Avro."""
    try:
        canonical = to_parsing_canonical_form(json.loads(schema))
        return bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))
    except Exception:  # fastavro can raise anything for an unknown schema
        return None


def encode_command(command: GivenCommand) -> bytes:
    """The record value of a command."""
    schema = _newest(Family.COMMANDS, command.name)
    return _frame(schema) + _written(schema, command.meta, command.body)


def decode_command(
    key: bytes | None, value: bytes | None, edition: int = NEWEST_EDITION
) -> GivenCommand:
    """The command in a record. Raises UnreadableRecord for any other record.

    Commands come from outside, so everything is checked: the bytes must be the only encoding of the
    command, the key must be the account's id, and every value must be in its range, by the rules of
    the edition in which the command was decided.
    """
    command = read_command(value, edition)
    fault = wrong_key(key, command)
    if fault is not None:
        raise fault
    return command


def wrong_key(key: bytes | None, command: GivenCommand) -> UnreadableRecord | None:
    """The fault of a command under another key than its account's id; None if it has none."""
    account_id = command.meta.account_id
    if key == account_id.encode():
        return None
    detail = f"{command.name}: the key is not the account id {account_id!r}"
    return UnreadableRecord(Unreadable.WRONG_KEY, detail)


def read_command(value: bytes | None, edition: int = NEWEST_EDITION) -> GivenCommand:
    """The command in a value without its key; checked like any other."""
    data = _sized(Family.COMMANDS, value)
    schema, start = _opened(Family.COMMANDS, data)
    meta, body = _usual(schema, data, start) or _only_encoding(schema, data[start:])
    command = GivenCommand(meta=meta, body=body)
    if problems := problems_of(command, edition):
        told = "; ".join(f"{p.path} is {p.value}, expected {p.expected}" for p in problems[:3])
        raise UnreadableRecord(Unreadable.OUT_OF_RANGE, f"{schema.name}: {told}")
    return command


def schema_of(family: Family, value: bytes | None) -> tuple[str, int]:
    """The name and version of a record's schema, from the frame only; else UnreadableRecord."""
    schema = _schema_of(family, frame_of(_sized(family, value)), value)
    return schema.name, schema.version


def encode_event(event: RecordedEvent) -> tuple[bytes, bytes]:
    """The record value of an event, and the SHA-256 of its Avro body for the chain."""
    schema = _newest(Family.EVENTS, event.name)
    body = _written(schema, event.meta, event.body)
    return _frame(schema) + body, sha256(body).digest()


def decode_event(value: bytes | None) -> RecordedEvent:
    """The event in a record, whatever its encoding: the hash chain protects events."""
    return examined_event(value)[0]


def examined_event(value: bytes | None) -> tuple[RecordedEvent, bool]:
    """The event in a record, and whether reading has shown that the bytes are its only encoding; if
    not, `rewritten_event` tells. Raises UnreadableRecord for any other record.
    """
    data = _sized(Family.EVENTS, value)
    schema, start = _opened(Family.EVENTS, data)
    usual = _usual(schema, data, start)
    meta, body = usual or _converted(schema, _read(schema, data[start:]))
    return RecordedEvent(meta=meta, body=body), usual is not None


def rewritten_event(value: bytes) -> bytes:
    """An event record decoded and encoded again, with the schema that its frame names, by fastavro
    only. Bytes that differ from `value` are another encoding. Raises UnreadableRecord.
    """
    schema, start = _opened(Family.EVENTS, _sized(Family.EVENTS, value))
    return value[:start] + _rewritten(schema, _read(schema, value[start:]))


def body_hash(value: bytes) -> bytes:
    """The SHA-256 of an event's Avro body without the frame: the next event's `prev_hash`."""
    return sha256(value[len(frame_of(value)) :]).digest()


def event_name_of(value: bytes | None) -> str:
    """The name of the event in a record, from its frame only, to skip it without decoding."""
    return _schema_of(Family.EVENTS, frame_of(_sized(Family.EVENTS, value)), value).name


def _sized(family: Family, value: bytes | None) -> bytes:
    if value is None:
        raise UnreadableRecord(Unreadable.NOT_OURS, "the record has no value")
    if len(value) > _LIMITS[family]:
        raise UnreadableRecord(
            Unreadable.TOO_LARGE,
            f"{len(value)} bytes, but {family} have at most {_LIMITS[family]}",
        )
    return value


def _opened(family: Family, data: bytes) -> tuple[_Schema, int]:
    """The schema that a record's frame names, and where the body after it begins."""
    frame = frame_of(data)
    return _schema_of(family, frame, data), len(frame)


def _usual(schema: _Schema, data: bytes, start: int) -> tuple[Any, Any] | None:
    """Meta and body, if the body is their only encoding and nothing about it is unusual."""
    if schema.usual_reader is None:
        return None
    try:
        return schema.usual_reader(data, start)
    except Exception:  # it raises anything for what it does not take: fastavro says what is wrong
        return None


def _only_encoding(schema: _Schema, body: bytes) -> tuple[Any, Any]:
    """Meta and body by fastavro, if encoded again they give the same bytes."""
    raw = _read(schema, body)
    if _rewritten(schema, raw) != body:
        raise UnreadableRecord(
            Unreadable.NOT_CANONICAL, f"{schema.name}: the bytes are not its only encoding"
        )
    return _converted(schema, raw)


def _converted(schema: _Schema, raw: dict[str, Any]) -> tuple[Any, Any]:
    meta = _convert(schema, raw.pop("meta"), schema.meta_shape)
    return meta, _convert(schema, raw, schema.shape)


def _schema_of(family: Family, frame: bytes, value: bytes | None) -> _Schema:
    schema = _schemas(family).get(frame)
    if schema is not None:
        return schema
    if not frame:
        begins = (value or b"")[:10].hex() or "nothing"
        raise UnreadableRecord(
            Unreadable.NOT_OURS,
            f"begins with {begins}, neither Avro's c301 and a fingerprint nor 00 and a schema id",
        )
    schema_id = schema_id_in(frame)
    if schema_id is None:
        raise UnreadableRecord(
            Unreadable.UNKNOWN_SCHEMA,
            f"no version of our {family} has the fingerprint {frame[2:][::-1].hex()}",
        )
    return _registered(family, schema_id)


def _registered(family: Family, schema_id: int) -> _Schema:
    """Our schema with the fingerprint that the registry has for an id."""
    if _World.registry is None:
        raise UnreadableRecord(
            Unreadable.UNKNOWN_SCHEMA,
            f"schema id {schema_id} is a registry's: set SCHEMA_REGISTRY_URL to read it",
        )
    found = _World.registry.fingerprint_of(schema_id)
    schema = _schemas(family).get(FINGERPRINT_MARKER + found) if found else None
    if schema is None:
        raise UnreadableRecord(
            Unreadable.UNKNOWN_SCHEMA,
            f"the registry's schema {schema_id} is no version of our {family}",
        )
    return schema


def _frame(schema: _Schema) -> bytes:
    """The frame to write before a body."""
    if _World.registry is None:
        return schema.frame
    return registry_frame(_World.registry.id_of(schema.family, schema.name, schema.version))


def _written(schema: _Schema, meta: CommandMeta | EventMeta, body: msgspec.Struct) -> bytes:
    try:
        return schema.usual_writer(meta, body)
    except Exception:  # a value that the schema cannot hold: fastavro says what is wrong
        return _write(schema, _as_dict(meta, body))


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


def _read(schema: _Schema, body: bytes) -> dict[str, Any]:
    try:
        raw = fastavro.schemaless_reader(BytesIO(body), schema.parsed, None)
    except Exception as error:  # for hostile bytes fastavro raises a dozen types
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
    """The newest schema of each name, for writing."""
    ascending = sorted(_schemas(family).values(), key=lambda schema: schema.version)
    return {schema.name: schema for schema in ascending}


@cache
def _schemas(family: Family) -> dict[bytes, _Schema]:
    """Every version of every schema, by the ten bytes of its frame."""
    root = schema_root()
    shapes: dict[str, Any] = {**(COMMANDS if family is Family.COMMANDS else EVENTS)}
    loaded = [
        _load(schema_file(root, family, name, version).read_text(), family, version, shape)
        for name, shape in shapes.items()
        for version in versions_of(root, family, name)
    ]
    return {schema.frame: schema for schema in loaded}


def _load(text: str, family: Family, version: int, shape: type[msgspec.Struct]) -> _Schema:
    schema = json.loads(text)
    canonical = to_parsing_canonical_form(schema)
    return _Schema(
        family=family,
        name=shape.__name__,
        version=version,
        frame=FINGERPRINT_MARKER + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO")),
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
