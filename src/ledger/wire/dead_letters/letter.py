"""Letters: records of the commands set aside as they came; their headers say why and from where.

The headers that count stand behind those a record came with, and are the last of their name, so
that nobody can forge them from outside.
"""

from __future__ import annotations

from msgspec import Struct

from ledger.log.seam import Headers, LogRecord, Topic
from ledger.wire.dead_letters.headers import Place, named, place_of, texts_of

ERRORS = "__connect.errors."
"""The header names of Kafka Connect's dead letter queue, which tools know."""

_ERROR_NAMES = tuple(
    ERRORS + name
    for name in (
        "topic",
        "partition",
        "offset",
        "stage",
        "class.name",
        "exception.class.name",
        "exception.message",
    )
)
MAX_TEXT = 1_000
"""Characters of a reason at most: what stands beside a record must never make it too large."""


class Letter(Struct, frozen=True, kw_only=True):
    """A record set aside. `source` is where it stood; `reason` one of the codec's `Unreadable`."""

    record: LogRecord
    source: Place
    reason: str
    detail: str

    @property
    def original_headers(self) -> Headers:
        """The headers it came with."""
        return self.record.headers[: -len(_ERROR_NAMES)]


def letter_headers(source: Topic, record: LogRecord, reason: str, detail: str) -> Headers:
    """What is put behind the headers of a record that is set aside."""
    values = (
        source.value,
        str(record.partition),
        str(record.offset),
        "VALUE_CONVERTER",
        f"ledger.{reason}",
        reason,
        detail[:MAX_TEXT],
    )
    return named(_ERROR_NAMES, values)


def read_letter(record: LogRecord) -> Letter | None:
    """The letter in a record of the dead letters; None if it is no letter, or names no place."""
    if tuple(name for name, _ in record.headers[-len(_ERROR_NAMES) :]) != _ERROR_NAMES:
        return None
    found = texts_of(record.headers)
    source = place_of(found[ERRORS + "partition"], found[ERRORS + "offset"])
    if source is None or found[ERRORS + "topic"] != Topic.COMMANDS:
        return None
    return Letter(
        record=record,
        source=source,
        reason=found[ERRORS + "exception.class.name"],
        detail=found[ERRORS + "exception.message"],
    )
