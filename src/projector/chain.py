"""Reads a batch of the events topic and sees that nothing is missing, altered or unknown in it."""

from __future__ import annotations

from ledger.codec import UnreadableRecord, body_hash, decode_event
from ledger.envelope import RecordedEvent
from ledger.log import Batch, LogRecord, Topic
from projector.checkpoint import Checkpoint


class BrokenLog(Exception):
    """A record of the events topic that cannot be the next one; names partition and offset.

    The projector stops at it: a skipped event would be money lost from sight.
    """


def follow(place: Checkpoint, batch: Batch) -> tuple[Checkpoint, list[RecordedEvent]]:
    """The events of a batch that begins at `place`, in order, and the place after them.

    Raises BrokenLog at the first record that is unreadable or does not continue the chain.
    """
    log_sequence, last_hash = place.log_sequence, place.last_hash
    events: list[RecordedEvent] = []
    for record in batch.records:
        event = _decoded(record)
        meta = event.meta
        if meta.log_sequence != log_sequence + 1:
            raise BrokenLog(
                f"{_where(record)}: {event.name} has log_sequence {meta.log_sequence}, expected "
                f"{log_sequence + 1}; look at the log with 'refundctl audit verify'"
            )
        if meta.prev_hash != last_hash:
            raise BrokenLog(
                f"{_where(record)}: {event.name} follows an event of hash {meta.prev_hash.hex()}, "
                f"but the one before it has {last_hash.hex()}; look at the log with "
                "'refundctl audit verify'"
            )
        log_sequence, last_hash = meta.log_sequence, body_hash(record.value or b"")
        events.append(event)
    moved = Checkpoint(
        partition=place.partition,
        next_offset=batch.next_position,
        log_sequence=log_sequence,
        last_hash=last_hash,
    )
    return moved, events


def _decoded(record: LogRecord) -> RecordedEvent:
    try:
        return decode_event(record.value)
    except UnreadableRecord as error:
        raise BrokenLog(
            f"{_where(record)}: {error}; run the program's newer version if one wrote it"
        ) from error


def _where(record: LogRecord) -> str:
    return f"{Topic.EVENTS} partition {record.partition} offset {record.offset}"
