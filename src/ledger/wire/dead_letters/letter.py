"""Letters: unchanged copies of unreadable command records, with the reason in the headers.

Our headers come after the record's original headers, and the last header of a name counts, so that
nobody can forge them from outside.
"""

from __future__ import annotations

from msgspec import Struct

from ledger.log.seam import Headers, LogRecord, Topic
from ledger.wire.dead_letters.headers import Place, named, place_of, texts_of

ERRORS = "__connect.errors."
"""The header names of Kafka Connect's dead letter queue, which other tools understand."""

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
"""The maximum length of a reason, so that the headers never make a record too large."""


class Letter(Struct, frozen=True, kw_only=True):
    """A dead letter. `source` is the record's position; `reason` is an `Unreadable`'s value."""

    record: LogRecord
    source: Place
    reason: str
    detail: str

    @property
    def original_headers(self) -> Headers:
        """The record's original headers."""
        return self.record.headers[: -len(_ERROR_NAMES)]


def letter_headers(source: Topic, record: LogRecord, reason: str, detail: str) -> Headers:
    """The headers that are added to the record's own."""
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
    """The letter in a record of the dead letters topic; None if it is not a valid letter."""
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
