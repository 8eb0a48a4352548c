"""Dead letters: what cannot be read goes aside as it came, with the reason in its headers."""

from __future__ import annotations

from ledger.codec import UnreadableRecord
from ledger.log import LogRecord, Outgoing, Topic

PREFIX = "__connect.errors."
"""The header names of Kafka Connect's dead letter queue, which tools know."""


def dead_letter(record: LogRecord, source: Topic, error: UnreadableRecord) -> Outgoing:
    """The original key, value and headers untouched, and why it is here and where it was."""
    added = {
        "topic": source.value,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "stage": "VALUE_CONVERTER",
        "class.name": f"ledger.{error.reason}",
        "exception.class.name": error.reason.value,
        "exception.message": error.detail,
    }
    headers = tuple((PREFIX + name, text.encode()) for name, text in added.items())
    return Outgoing(
        topic=Topic.DEAD_LETTERS,
        partition=record.partition,
        key=record.key,
        value=record.value,
        headers=(*record.headers, *headers),
    )
