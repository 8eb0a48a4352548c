"""The frame before an Avro body in a record: its schema's fingerprint, or its id in a registry.

Without a registry it is Avro's single-object encoding: `C3 01` and the CRC-64-AVRO of the schema,
little endian. With a registry it is Confluent's: `00` and the schema's id in four bytes, big
endian. One log can have both, so a reader checks the first bytes.
"""

from __future__ import annotations

from typing import Protocol

from ledger.wire.avro.schema_files import Family

FINGERPRINT_MARKER = b"\xc3\x01"
REGISTRY_MARKER = b"\x00"
FINGERPRINT_FRAME_BYTES = 10
REGISTRY_FRAME_BYTES = 5


class SchemaIds(Protocol):
    """The part of a schema registry that framing needs."""

    def id_of(self, family: Family, name: str, version: int) -> int:
        """The id of this schema of ours."""
        ...

    def fingerprint_of(self, schema_id: int) -> bytes | None:
        """The CRC-64-AVRO of the schema with this id, little endian; None if there is none."""
        ...


class RegistryUnavailable(Exception):
    """The registry does not answer, or answers wrongly. It is not a record's error: try later."""


def frame_of(value: bytes) -> bytes:
    """The bytes before the body; empty if the value begins with neither framing."""
    if value.startswith(FINGERPRINT_MARKER):
        frame, length = value[:FINGERPRINT_FRAME_BYTES], FINGERPRINT_FRAME_BYTES
    elif value.startswith(REGISTRY_MARKER):
        frame, length = value[:REGISTRY_FRAME_BYTES], REGISTRY_FRAME_BYTES
    else:
        return b""
    return frame if len(frame) == length else b""


def registry_frame(schema_id: int) -> bytes:
    """The five bytes that name a schema by its id."""
    return REGISTRY_MARKER + schema_id.to_bytes(4, "big")


def schema_id_in(frame: bytes) -> int | None:
    """The id in a frame; None if it has a fingerprint."""
    if not frame.startswith(REGISTRY_MARKER):
        return None
    return int.from_bytes(frame[1:], "big")
