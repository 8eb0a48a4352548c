"""What stands before an Avro body in a record: its schema's fingerprint, or its id in a registry.

Without a registry it is Avro's single-object encoding: `C3 01` and the CRC-64-AVRO of the schema,
little endian. With one it is Confluent's: `00` and the schema's id in four bytes, big endian. Both
may stand in one log, so a reader looks at the first bytes.
"""

from __future__ import annotations

from typing import Protocol

from ledger.wire.avro.schema_files import Family

FINGERPRINT_MARKER = b"\xc3\x01"
REGISTRY_MARKER = b"\x00"
FINGERPRINT_FRAME_BYTES = 10
REGISTRY_FRAME_BYTES = 5


class SchemaIds(Protocol):
    """A schema registry, as far as framing goes."""

    def id_of(self, family: Family, name: str, version: int) -> int:
        """The id to write before a body of that schema of ours."""
        ...

    def fingerprint_of(self, schema_id: int) -> bytes | None:
        """The CRC-64-AVRO of the schema with that id, little endian; None where there is none."""
        ...


class RegistryUnavailable(Exception):
    """The registry does not answer, or not as it must. No record is to blame: try again later."""


def frame_of(value: bytes) -> bytes:
    """The bytes that stand before the body; empty where the value begins like neither framing."""
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
    """The id that a frame names; None where it names a fingerprint."""
    if not frame.startswith(REGISTRY_MARKER):
        return None
    return int.from_bytes(frame[1:], "big")
