"""A log as it was recorded, that can be read by an audit and falsified by a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from ledger.log.seam import LogRecord, LogTools, Outgoing, Published, Topic
from ledger.values.ids import derived_id
from ledger.vocabulary.envelope import ZERO_HASH, EventMeta, RecordedEvent
from ledger.vocabulary.events import Event, LedgerOpened
from ledger.wire.avro.codec import body_hash, decode_event, encode_event

Place = tuple[Topic, int, int]
"""Topic, partition and offset at which a fault is to be found."""


class RecordedLog:
    """Satisfies `LogTools` for reading; holds plain lists that may be altered at will."""

    def __init__(self, tools: LogTools, decider_group: str) -> None:
        self.records: dict[Topic, list[list[LogRecord]]] = {}
        for topic in Topic:
            self.records[topic] = [[] for _ in range(tools.partition_count)]
            for record in tools.replay(topic):
                self.records[topic][record.partition].append(record)
        self.decided = list(tools.committed_offsets(decider_group, Topic.COMMANDS))

    def copied(self) -> RecordedLog:
        """Another of the same content."""
        return RecordedLog(self, "")

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        return len(self.decided)

    def replay(self, topic: Topic, start: Sequence[int] | None = None) -> Iterator[LogRecord]:
        """Partition after partition."""
        starts = start if start is not None else [0] * self.partition_count
        held = zip(starts, self.records[topic], strict=True)
        return iter([each for first, found in held for each in found if each.offset >= first])

    def committed_offsets(self, group: str, topic: Topic) -> tuple[int | None, ...]:
        """Of the decider, whatever the group is called."""
        return tuple(self.decided)

    def end_offsets(self, topic: Topic) -> tuple[int, ...]:
        """After the last record."""
        return tuple(found[-1].offset + 1 if found else 0 for found in self.records[topic])

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """A recorded log takes nothing more."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to let go of."""

    def events(self, partition: int) -> list[LogRecord]:
        """The events of a partition."""
        return self.records[Topic.EVENTS][partition]

    def commands(self, partition: int) -> list[LogRecord]:
        """The commands of a partition."""
        return self.records[Topic.COMMANDS][partition]

    def letters(self, partition: int) -> list[LogRecord]:
        """The dead letters of a partition."""
        return self.records[Topic.DEAD_LETTERS][partition]

    def find(self, kind: type[Event], nth: int = 0) -> tuple[int, int]:
        """Partition and place in it of the nth event of a kind."""
        places = [
            (partition, place)
            for partition in range(self.partition_count)
            for place, record in enumerate(self.events(partition))
            if isinstance(decode_event(record.value).body, kind)
        ]
        return places[nth]

    def alter(
        self, partition: int, place: int, change: Callable[[RecordedEvent], RecordedEvent]
    ) -> LogRecord:
        """Write an event anew, as it should be written; the chain after it stays as it was."""
        record = self.events(partition)[place]
        value = encode_event(change(decode_event(record.value)))[0]
        self.events(partition)[place] = replace(record, value=value)
        return self.events(partition)[place]

    def forge(self, kind: type[Event], nth: int = 0, **changes: object) -> LogRecord:
        """Change an event's body and make the chain good again, as one with the key to the log."""
        partition, place = self.find(kind, nth)
        self.alter(partition, place, lambda event: with_body(event, **changes))
        self.reseal(partition)
        return self.events(partition)[place]

    def forge_meta(self, kind: type[Event], nth: int = 0, **changes: object) -> LogRecord:
        """Change an event's meta and make the chain good again."""
        partition, place = self.find(kind, nth)
        self.alter(partition, place, lambda event: with_meta(event, **changes))
        self.reseal(partition)
        return self.events(partition)[place]

    def reseal(self, partition: int) -> None:
        """Number and chain a partition's events as if they had been recorded so."""
        last, sequences = ZERO_HASH, dict[str, int]()
        for number, record in enumerate(self.events(partition)):
            event = decode_event(record.value)
            account_id = event.meta.account_id
            if not isinstance(event.body, LedgerOpened):
                sequences[account_id] = sequences.get(account_id, 0) + 1
            sealed = with_meta(
                event,
                log_sequence=number,
                prev_hash=last,
                sequence=sequences.get(account_id, 0),
            )
            value, last = encode_event(sealed)
            assert last == body_hash(value)
            self.events(partition)[number] = replace(record, value=value)

    def copy(self, partition: int, place: int, to: int, meta: dict[str, object]) -> LogRecord:
        """Put an event, its meta changed, in at another place too, at an offset that is free."""
        event = decode_event(self.events(partition)[place].value)
        fresh = {"event_id": derived_id("copy", event.meta.event_id), **meta}
        record = self.events(partition)[place]
        value = encode_event(with_meta(event, **fresh))[0]
        self.events(partition).insert(to, replace(record, value=value))
        self._space_out(partition)
        self.reseal(partition)
        return self.events(partition)[to]

    def _space_out(self, partition: int) -> None:
        found = self.events(partition)
        found[:] = [replace(each, offset=10 * n) for n, each in enumerate(found)]


def with_meta(event: RecordedEvent, **changes: object) -> RecordedEvent:
    """The event with its meta changed."""
    meta: EventMeta = replace(event.meta, **changes)
    return replace(event, meta=meta)


def with_body(event: RecordedEvent, **changes: object) -> RecordedEvent:
    """The event with its body changed."""
    return replace(event, body=replace(event.body, **changes))


def event_at(record: LogRecord) -> Place:
    """The place of an event."""
    return (Topic.EVENTS, record.partition, record.offset)


def put(
    falsified: RecordedLog, topic: Topic, partition: int, number: int, **changes: object
) -> Place:
    """Change a record as it stands, whatever it says; its place."""
    records = falsified.records[topic][partition]
    records[number] = replace(records[number], **changes)
    return (topic, partition, records[number].offset)
