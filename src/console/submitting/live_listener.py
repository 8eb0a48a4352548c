"""Reads the new events and dead letters of a running ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from consumers.deciding.decider import GROUP as DECIDER
from ledger.log.kafka import KafkaSettings, KafkaTools
from ledger.log.kafka.reading.topic_tail import TopicTail
from ledger.log.seam import LogUnavailable, Outgoing, Published, Topic
from ledger.origins.signing import Signing, unsigned
from ledger.vocabulary.envelope import RecordedEvent
from ledger.wire.avro.codec import decode_event
from ledger.wire.dead_letters.letter import Letter, read_letter

_READ_RECORDS = 5_000
_READ_SECONDS = 5.0
_SHOWN_POLL_SECONDS = 0.01


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A dead letter: its position in the commands topic, its bytes, and the reason."""

    partition: int
    offset: int
    value: bytes
    reason: str


class Listener:
    """Begins at the end of the log at the time it is created. `signing` signs what is published."""

    def __init__(self, settings: KafkaSettings, signing: Signing = unsigned) -> None:
        self.signing = signing
        self._tail = TopicTail(settings, Topic.EVENTS)
        self._tools = KafkaTools(settings)
        self._positions = dict(enumerate(self._tail.ends()))
        self._dead_from = self._tools.end_offsets(Topic.DEAD_LETTERS)

    @property
    def tools(self) -> KafkaTools:
        """Publishes to the same ledger."""
        return self._tools

    @property
    def positions(self) -> tuple[int, ...]:
        """How far the events have been read, by partition."""
        return tuple(self._positions[partition] for partition in sorted(self._positions))

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """Send records; returns once the log has them."""
        return self._tools.publish(records)

    def hear(self, timeout_seconds: float) -> list[RecordedEvent]:
        """The next events, as soon as there are any."""
        batches = self._tail.read(self._positions, _READ_RECORDS, timeout_seconds)
        self._positions.update({place: batch.next_position for place, batch in batches.items()})
        return [decode_event(found.value) for batch in batches.values() for found in batch.records]

    def take_events(self) -> list[RecordedEvent]:
        """All events since the last call; in order for each account."""
        ends, taken = self._tail.ends(), list[RecordedEvent]()
        give_up = time.monotonic() + _READ_SECONDS
        while any(self._positions[place] < end for place, end in enumerate(ends)):
            heard = self.hear(_READ_SECONDS)
            if heard:
                give_up = time.monotonic() + _READ_SECONDS
            elif time.monotonic() > give_up:
                raise LogUnavailable(
                    f"events end at {ends}, but nothing could be read past {self.positions}; "
                    "see 'refundctl logs kafka'"
                )
            taken += heard
        taken.sort(key=lambda event: (event.meta.recorded_at, event.meta.source_partition))
        return taken

    def decided(self) -> tuple[int | None, ...]:
        """The offset of the next command to decide, by partition."""
        return self._tools.committed_offsets(DECIDER, Topic.COMMANDS)

    def dead_letters(self) -> list[DeadLetter]:
        """The dead letters since it began."""
        if self._tools.end_offsets(Topic.DEAD_LETTERS) == self._dead_from:
            return []
        found = self._tools.replay(Topic.DEAD_LETTERS, self._dead_from)
        letters = [read_letter(record) for record in found]
        return [_dead_letter(letter) for letter in letters if letter is not None]

    def close(self) -> None:
        """Close every connection."""
        self._tail.close()
        self._tools.close()


def shown(connection: Any, positions: Sequence[int], patience_seconds: float) -> bool:
    """Wait until the read models have everything before these offsets; False after a timeout."""
    from projector.asking.queries import positions as shown_positions

    give_up = time.monotonic() + patience_seconds
    while True:
        now = shown_positions(connection)
        if all(now.get(place, 0) >= end for place, end in enumerate(positions)):
            return True
        if time.monotonic() > give_up:
            return False
        time.sleep(_SHOWN_POLL_SECONDS)


def _dead_letter(letter: Letter) -> DeadLetter:
    return DeadLetter(
        partition=letter.source.partition,
        offset=letter.source.offset,
        value=letter.record.value or b"",
        reason=letter.detail,
    )
