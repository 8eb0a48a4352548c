"""Resolutions: each is a later record, with only headers, that closes a dead letter."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from ledger.log.seam import LogRecord, Outgoing, Topic
from ledger.wire.dead_letters.headers import Place, named, place_of, texts_of

RESOLUTION = "refunds.dlq."
"""The header names of a resolution."""
_RESOLUTION_NAMES = tuple(
    RESOLUTION + name
    for name in (
        "resolution",
        "topic",
        "partition",
        "offset",
        "letter",
        "actor",
        "reason",
        "copy.partition",
        "copy.offset",
    )
)


class Resolved(StrEnum):
    """How a letter was closed."""

    REDRIVEN = "REDRIVEN"
    DISCARDED = "DISCARDED"


class Resolution(Struct, frozen=True, kw_only=True):
    """The closing of the letter of `source`, which is at `letter_offset` of this partition.

    `copy` is the position of the redriven record in the commands topic; None if discarded.
    """

    kind: Resolved
    source: Place
    letter_offset: int
    actor: str
    reason: str
    copy: Place | None = None


def resolution_record(resolution: Resolution, key: bytes | None) -> Outgoing:
    """The record of a resolution, with the partition and key of its letter."""
    copy = resolution.copy
    values = (
        resolution.kind.value,
        Topic.COMMANDS.value,
        str(resolution.source.partition),
        str(resolution.source.offset),
        str(resolution.letter_offset),
        resolution.actor,
        resolution.reason,
        "" if copy is None else str(copy.partition),
        "" if copy is None else str(copy.offset),
    )
    return Outgoing(
        topic=Topic.DEAD_LETTERS,
        partition=resolution.source.partition,
        key=key,
        value=None,
        headers=named(_RESOLUTION_NAMES, values),
    )


def is_resolution(record: LogRecord) -> bool:
    """Whether a record of the dead letters topic has the form of a resolution."""
    return tuple(name for name, _ in record.headers) == _RESOLUTION_NAMES


def read_resolution(record: LogRecord) -> Resolution | None:
    """The resolution in a record of the dead letters topic; None if it is not valid."""
    if not is_resolution(record) or record.value is not None:
        return None
    found = texts_of(record.headers)
    source = place_of(found[RESOLUTION + "partition"], found[RESOLUTION + "offset"])
    letter = place_of("0", found[RESOLUTION + "letter"])
    copy = place_of(found[RESOLUTION + "copy.partition"], found[RESOLUTION + "copy.offset"])
    kind = found[RESOLUTION + "resolution"]
    redriven = kind == Resolved.REDRIVEN
    if source is None or letter is None or kind not in set(Resolved) or redriven != bool(copy):
        return None
    return Resolution(
        kind=Resolved(kind),
        source=source,
        letter_offset=letter.offset,
        actor=found[RESOLUTION + "actor"],
        reason=found[RESOLUTION + "reason"],
        copy=copy,
    )
