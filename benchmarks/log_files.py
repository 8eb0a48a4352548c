"""A log in files, made by deciders without a broker: what the audit's benchmark reads.

One file for each topic and partition, with chunks of records, each after its length. Reading takes
a microsecond a record and the memory of one chunk, so that what is measured is the audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from msgspec import Struct, msgpack

from benchmarks.deciding import PARTITIONS, world_of
from benchmarks.mix import commands
from consumers.deciding.decider import GROUP, PartitionDecider
from consumers.deciding.store import Store
from consumers.follow_ups import command_record, follow_up
from consumers.reactions import REACTIONS
from ledger.log.seam import (
    Batch,
    CommitResult,
    Committed,
    LogRecord,
    Outgoing,
    Topic,
)
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import RecordedEvent
from ledger.wire.avro.codec import decode_event, event_name_of

_START: Instant = 1_790_000_000_000_000
_BATCH = 1_000
_MILLISECOND = 1_000
_REACTED = {kind.__name__ for _, kinds in REACTIONS for kind in kinds}


class LogFiles:
    """The part of `ledger.log.seam.LogTools` that an audit needs, on such files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends = msgpack.decode((folder / "ends").read_bytes(), type=dict[str, list[int]])

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        return PARTITIONS

    def replay(self, topic: Topic, start: Sequence[int] | None = None) -> Iterator[LogRecord]:
        """Every record from there on, partition after partition."""
        for partition in range(PARTITIONS):
            first = 0 if start is None else start[partition]
            if first < self._ends[topic][partition]:
                yield from (
                    each
                    for each in _records(_path(self._folder, topic, partition))
                    if each.offset >= first
                )

    def end_offsets(self, topic: Topic) -> tuple[int, ...]:
        """Per partition the offset after the last record."""
        return tuple(self._ends[topic])

    def committed_offsets(self, group: str, topic: Topic) -> tuple[int | None, ...]:
        """All commands are decided."""
        assert (group, topic) == (GROUP, Topic.COMMANDS)
        return self.end_offsets(topic)

    def close(self) -> None:
        """Nothing to close."""


class _Written(Struct, kw_only=True):
    """One file while it is written."""

    path: Path
    end: int = 0
    waiting: list[LogRecord] = []

    def put(self, record: Outgoing, at: Instant) -> LogRecord:
        """Append a record."""
        kept = LogRecord(
            partition=record.partition,
            offset=self.end,
            appended_at=at,
            key=record.key,
            value=record.value,
            headers=record.headers,
        )
        self.end += 1
        self.waiting.append(kept)
        if len(self.waiting) == _BATCH:
            self.write()
        return kept

    def write(self) -> None:
        """Write what waits."""
        chunk = msgpack.encode(self.waiting)
        with self.path.open("ab") as file:
            file.write(len(chunk).to_bytes(4, "little") + chunk)
        self.waiting.clear()


class _Log:
    """The log of one decider, in files: its commands are given, what it commits is written."""

    source = Topic.COMMANDS
    partition_count = PARTITIONS

    def __init__(self, folder: Path, partition: int) -> None:
        self.files = {topic: _Written(path=_path(folder, topic, partition)) for topic in Topic}
        self.given: list[LogRecord] = []
        self.follow_ups: list[Outgoing] = []
        self._committed: Committed | None = None
        self._first: LogRecord | None = None
        self._partition = partition

    def fence(self, partition: int) -> None:
        """Nobody else writes."""

    def committed(self, partition: int) -> Committed | None:
        """The last commit."""
        return self._committed

    def high_watermark(self, topic: Topic, partition: int) -> int:
        """Where the file ends."""
        return self.files[topic].end

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """The commands that are given now; of the events only the first is ever asked for."""
        if topic is Topic.EVENTS:
            assert self._first is not None
            return Batch(records=(self._first,), next_position=1)
        records = tuple(self.given)
        self.given = []
        return Batch(records=records, next_position=self.files[topic].end)

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """Write, and note what reactions would send. Like a broker, leave an offset out."""
        for record in records:
            kept = self.files[record.topic].put(record, _START)
            self._first = self._first or kept
            if record.topic is Topic.EVENTS and event_name_of(record.value) in _REACTED:
                self.follow_ups += follow_ups(decode_event(record.value), PARTITIONS)
        for topic in {record.topic for record in records}:
            self.files[topic].end += 1
        self._committed = Committed(offset=next_offset, metadata=metadata)

    def finish_commit(self, partition: int) -> CommitResult:
        """It is written."""
        return CommitResult.OK

    def commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> CommitResult:
        """Both in one call: what the deciders of earlier commits ask for."""
        self.begin_commit(partition, records, next_offset, metadata)
        return self.finish_commit(partition)

    def close(self) -> None:
        """Nothing to close."""


def make_log(folder: Path, *, count: int, accounts: int) -> None:
    """Let deciders decide the benchmarks' mix, with what the reactions send; write the log."""
    folder.mkdir(parents=True)
    world = world_of(PARTITIONS, max_batch=10 * _BATCH)
    logs = [_Log(folder, partition) for partition in range(PARTITIONS)]
    deciders = [
        PartitionDecider(log, partition, Store(folder / "state", partition, "bench"), world)
        for partition, log in enumerate(logs)
    ]
    for decider in deciders:
        decider.restore()
    mix, number = commands(count, _START, PARTITIONS, accounts), 0
    while batch := [
        *islice(mix, PARTITIONS * _BATCH),
        *(f for log in logs for f in log.follow_ups),
    ]:
        for log in logs:
            log.follow_ups = []
        for each in batch:
            log = logs[each.partition]
            log.given.append(log.files[Topic.COMMANDS].put(each, _START + number * _MILLISECOND))
            number += 1
        for decider in deciders:
            decider.step(0.0)
    for decider, log in zip(deciders, logs, strict=True):
        decider.close()
        for file in log.files.values():
            file.write()
    ends = {topic.value: [log.files[topic].end for log in logs] for topic in Topic}
    (folder / "ends").write_bytes(msgpack.encode(ends))


def follow_ups(recorded: RecordedEvent, partition_count: int) -> Iterator[Outgoing]:
    """The commands that the reactions send because of an event."""
    for reaction, kinds in REACTIONS:
        if isinstance(recorded.body, kinds):
            for index, body in enumerate(reaction(recorded)):
                given = follow_up(recorded.meta, reaction.__name__, index, body, sandbox_at=None)
                yield command_record(given, partition_count)


def _records(path: Path) -> Iterator[LogRecord]:
    decoder = msgpack.Decoder(list[LogRecord])
    with path.open("rb") as file:
        while length := file.read(4):
            yield from decoder.decode(file.read(int.from_bytes(length, "little")))


def _path(folder: Path, topic: Topic, partition: int) -> Path:
    return folder / f"{topic.value}-{partition}"
