"""Makes dead letters: the unchanged record, with the reason in its headers."""

from __future__ import annotations

from ledger.log.seam import LogRecord, Outgoing, Topic
from ledger.wire.avro.codec import UnreadableRecord
from ledger.wire.dead_letters.letter import letter_headers


def dead_letter(record: LogRecord, source: Topic, error: UnreadableRecord) -> Outgoing:
    """The original key, value and headers, plus the reason and the original position."""
    added = letter_headers(source, record, error.reason.value, error.detail)
    return Outgoing(
        topic=Topic.DEAD_LETTERS,
        partition=record.partition,
        key=record.key,
        value=record.value,
        headers=(*record.headers, *added),
    )
