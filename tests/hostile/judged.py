"""What must become of a record, worked out beside the ledger: by the strict reader and the shapes.

Only whether a value is in its range is asked of the ledger itself, which has tests for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from ledger.log.seam import LogRecord
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.validation import problems_of
from ledger.wire.avro.codec import Unreadable
from tests.hostile.strict_avro import NotStrict, Reading, command_schemas

MOST_BYTES = 512 * 1024
NOT_ENCODED = frozenset({Unreadable.UNREADABLE, Unreadable.NOT_CANONICAL, Unreadable.INVALID_VALUE})
"""Which of these it is depends on where a reader stumbles first."""


class Expected(Struct, frozen=True, kw_only=True):
    """`reasons` are those it may be set aside for; without any it is read, and `outcome` says
    whether it leads to events: a duplicate does not.
    """

    reasons: frozenset[Unreadable] = frozenset()
    outcome: bool = False


def expectations(records: Iterable[LogRecord], partition_count: int) -> list[Expected]:
    """What must become of each record, in the order of its partition."""
    seen: set[tuple[str, str, bytes]] = set()
    expected = []
    for record in records:
        given, reasons = _read(record, partition_count)
        outcome = False
        if given is not None:
            content = (given.meta.account_id, given.meta.command_id, _content(given))
            outcome = content not in seen
            seen.add(content)
        expected.append(Expected(reasons=reasons, outcome=outcome))
    return expected


def _read(
    record: LogRecord, partition_count: int
) -> tuple[GivenCommand | None, frozenset[Unreadable]]:
    value = record.value
    if value is None:
        return _set_aside(Unreadable.NOT_OURS)
    if len(value) > MOST_BYTES:
        return _set_aside(Unreadable.TOO_LARGE)
    if value[:1] == b"\x00" and len(value) >= 5:
        return _set_aside(Unreadable.UNKNOWN_SCHEMA)
    if value[:2] != b"\xc3\x01" or len(value) < 10:
        return _set_aside(Unreadable.NOT_OURS)
    if value[:10] not in command_schemas():
        return _set_aside(Unreadable.UNKNOWN_SCHEMA)
    name, schema = command_schemas()[value[:10]]
    try:
        raw = Reading(value[10:]).whole(schema)
        meta = msgspec.convert(raw.pop("meta"), CommandMeta)
        given = GivenCommand(meta=meta, body=msgspec.convert(raw, COMMANDS[name]))
    except (NotStrict, msgspec.ValidationError):
        return None, NOT_ENCODED
    if problems_of(given):
        return _set_aside(Unreadable.OUT_OF_RANGE)
    if record.key != meta.account_id.encode():
        return _set_aside(Unreadable.WRONG_KEY)
    if record.partition != java_partition(record.key, partition_count):
        return _set_aside(Unreadable.WRONG_PARTITION)
    if meta.sandbox_at is not None:
        return _set_aside(Unreadable.WRONG_CLOCK)
    return given, frozenset()


def _set_aside(reason: Unreadable) -> tuple[None, frozenset[Unreadable]]:
    return None, frozenset({reason})


def _content(given: GivenCommand) -> bytes:
    """Command, actor and body: the same id with other content is another command."""
    said = (given.name, given.meta.actor, given.body)
    return hashlib.sha256(msgspec.msgpack.encode(said)).digest()


def java_partition(key: bytes, partition_count: int) -> int:
    """Murmur2 with Kafka's seed, as its Java clients place a key."""
    mixer, mask = 0x5BD1E995, 0xFFFFFFFF
    value = (0x9747B28C ^ len(key)) & mask
    whole = len(key) // 4 * 4
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * mixer & mask
        word = (word ^ (word >> 24)) * mixer & mask
        value = (value * mixer & mask) ^ word
    rest = key[whole:]
    if rest:
        value = (value ^ int.from_bytes(rest, "little")) * mixer & mask
    value = (value ^ (value >> 13)) * mixer & mask
    value ^= value >> 15
    return (value & 0x7FFFFFFF) % partition_count
