"""Reads a batch of the events topic and checks that nothing is missing, changed or unknown."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.log.seam import Batch, LogRecord, Topic
from ledger.vocabulary.envelope import RecordedEvent
from ledger.wire.avro.codec import UnreadableRecord, body_hash, decode_event
from projector.following.checkpoint import Checkpoint


class BrokenLog(Exception):
    """A record of the events topic that cannot be the next one; names partition and offset.

    The projector stops at it: a skipped event would make the balances wrong.
    """


class EventReader:
    """A batch that is read from `place` on. Events are returned one by one and not kept: with
    thousands of live objects the garbage collector would need most of the time.
    """

    def __init__(self, place: Checkpoint, batch: Batch) -> None:
        self._batch = batch
        self._place = place

    def events(self) -> Iterator[RecordedEvent]:
        """The events, in order. Raises BrokenLog at the first record that is unreadable or does not
        continue the chain.
        """
        log_sequence, last_hash = self._place.log_sequence, self._place.last_hash
        for record in self._batch.records:
            event = _decoded(record)
            _check(record, event, log_sequence + 1, last_hash)
            log_sequence, last_hash = log_sequence + 1, body_hash(record.value or b"")
            yield event
        self._place = Checkpoint(
            partition=self._place.partition,
            next_offset=self._batch.next_position,
            log_sequence=log_sequence,
            last_hash=last_hash,
        )

    @property
    def reached(self) -> Checkpoint:
        """The position of the reader: after the batch when all its events were read."""
        return self._place


def _check(record: LogRecord, event: RecordedEvent, log_sequence: int, last_hash: bytes) -> None:
    meta, next_step = event.meta, "check the log with 'refundctl audit verify'"
    if meta.log_sequence != log_sequence:
        raise BrokenLog(
            f"{_where(record)}: {event.name} has log_sequence {meta.log_sequence}, expected "
            f"{log_sequence}; {next_step}"
        )
    if meta.prev_hash != last_hash:
        raise BrokenLog(
            f"{_where(record)}: {event.name} follows an event of hash {meta.prev_hash.hex()}, but "
            f"the one before it has {last_hash.hex()}; {next_step}"
        )


def _decoded(record: LogRecord) -> RecordedEvent:
    try:
        return decode_event(record.value)
    except UnreadableRecord as error:
        raise BrokenLog(
            f"{_where(record)}: {error}; run the program's newer version if one wrote it"
        ) from error


def _where(record: LogRecord) -> str:
    return f"{Topic.EVENTS} partition {record.partition} offset {record.offset}"
