"""A log and a source that pass every call on, and note what they see for metrics and vitals."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from console.monitoring.handled import Handled
from console.monitoring.meters import Meters
from console.monitoring.vitals import Vitals
from ledger.log.seam import (
    Batch,
    CommitResult,
    Committed,
    EventSource,
    Log,
    LogRecord,
    Outgoing,
    Topic,
)
from ledger.origins.signing import ORIGIN
from ledger.origins.verifying import Doubt
from ledger.wire.dead_letters.headers import texts_of
from ledger.wire.dead_letters.letter import ERRORS

_DOUBTS = frozenset(each.value for each in Doubt)
_MOST_LETTERS = 64
_REASON = ERRORS + "exception.class.name"


class MeteredLog:
    """A consumer's log; satisfies `ledger.log.seam.Log`.

    A partition is restored from its fence to the first read of its source: until then a handler
    reads other topics only, or none.
    """

    def __init__(
        self,
        log: Log,
        name: str,
        vitals: Vitals,
        meters: Meters,
        handled: Handled,
    ) -> None:
        self._log = log
        self._name = name
        self._vitals = vitals
        self._meters = meters
        self._handled = handled
        self._duty = vitals.duty(name)
        self._begun: dict[int, tuple[float, Sequence[LogRecord], Sequence[Outgoing]]] = {}
        self._taken: dict[int, tuple[LogRecord, ...]] = {}
        self._records = meters.records.labels(name)
        self._sizes = meters.batch_records.labels(name)
        self._batches = meters.batch_seconds.labels(name)
        self._commits = meters.commit_seconds.labels(name)

    @property
    def source(self) -> Topic:
        """See `Log`."""
        return self._log.source

    @property
    def partition_count(self) -> int:
        """See `Log`."""
        return self._log.partition_count

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        """The main loop moves here."""
        found = self._log.owned(timeout_seconds)
        self._vitals.owns(self._duty, found)
        return found

    def fence(self, partition: int) -> None:
        """A restore begins."""
        self._duty.restoring[partition] = (0, 0)
        self._log.fence(partition)
        self._vitals.turned()

    def committed(self, partition: int) -> Committed | None:
        """See `Log`."""
        return self._log.committed(partition)

    def high_watermark(self, topic: Topic, partition: int) -> int:
        """The end of the events is the end of a restore."""
        end = self._log.high_watermark(topic, partition)
        if topic is Topic.EVENTS and partition in self._duty.restoring:
            self._duty.restoring[partition] = (self._duty.restoring[partition][0], end)
        return end

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """A read of the source ends a restore; a read of the events before that is its progress."""
        batch = self._log.read(topic, partition, position, max_records, timeout_seconds)
        restoring = self._duty.restoring
        if topic is self._log.source:
            restoring.pop(partition, None)
            if batch.records:
                self._taken[partition] = batch.records
                self._vitals.took(self._duty, partition)
        elif partition in restoring:
            done, end = restoring[partition]
            restoring[partition] = (max(done, batch.next_position), end)
            self._vitals.turned()
        return batch

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """The time of a commit begins."""
        taken = self._taken.pop(partition, ())
        self._begun[partition] = (time.perf_counter(), taken, records)
        self._log.begin_commit(partition, records, next_offset, metadata)

    def finish_commit(self, partition: int) -> CommitResult:
        """A batch ends; dead letters are counted by their reason."""
        result = self._log.finish_commit(partition)
        began, taken, written = self._begun.pop(partition)
        if result is CommitResult.OK:
            self._commits.observe(time.perf_counter() - began)
            self._count(partition, taken, written)
        return result

    def close(self) -> None:
        """See `Log`."""
        self._vitals.owns(self._duty, frozenset())
        self._log.close()

    def _count(
        self, partition: int, taken: Sequence[LogRecord], written: Sequence[Outgoing]
    ) -> None:
        self._batches.observe(self._vitals.committed(self._duty, partition))
        self._sizes.observe(len(taken))
        self._records.inc(len(taken))
        aside = [each for each in written if each.topic is Topic.DEAD_LETTERS]
        others = len(written) - len(aside)
        if others:
            into = Topic.EVENTS if self.source is Topic.COMMANDS else Topic.COMMANDS
            self._meters.written.labels(self._name, into.value).inc(others)
        for letter in aside:
            told = texts_of(letter.headers)
            reason = told[_REASON]
            self._meters.dead_letters.labels(reason).inc()
            if reason in _DOUBTS:
                origin = told.get(ORIGIN, "").partition("/")[0][:_MOST_LETTERS]
                self._meters.signature_failed(origin or "none", reason)
        self._handled(self._name, taken, written)


class MeteredSource:
    """A reader of all partitions; satisfies `ledger.log.seam.EventSource`.

    A batch is handled when the next one is asked for. The consumer has begun its work when it has
    read up to the end at its start.
    """

    def __init__(
        self,
        source: EventSource,
        name: str,
        vitals: Vitals,
        meters: Meters,
        handled: Handled,
    ) -> None:
        self._source = source
        self._name = name
        self._vitals = vitals
        self._meters = meters
        self._handled = handled
        self._duty = vitals.duty(name, all_partitions=True)
        self._first_ends = source.ends()
        self._taken: Mapping[int, Batch] = {}

    @property
    def topic_id(self) -> str:
        """See `EventSource`."""
        return self._source.topic_id

    def ends(self) -> tuple[int, ...]:
        """See `EventSource`."""
        return self._source.ends()

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> Mapping[int, Batch]:
        """Note that what was read before is handled, and read the next."""
        self._count()
        if not self._duty.begun:
            self._duty.begun = all(
                positions.get(partition, 0) >= end for partition, end in enumerate(self._first_ends)
            )
        found = self._source.read(positions, max_records, timeout_seconds)
        if found:
            self._taken = found
            for partition in found:
                self._vitals.took(self._duty, partition)
        return found

    def close(self) -> None:
        """See `EventSource`."""
        self._taken = {}
        self._duty.taken_at.clear()
        self._duty.begun = False
        self._source.close()

    def _count(self) -> None:
        self._vitals.turned()
        if not self._taken:
            return
        waited = [self._vitals.committed(self._duty, partition) for partition in self._taken]
        records = [record for batch in self._taken.values() for record in batch.records]
        self._taken = {}
        self._meters.batch_seconds.labels(self._name).observe(max(waited))
        self._meters.batch_records.labels(self._name).observe(len(records))
        self._meters.records.labels(self._name).inc(len(records))
        self._handled(self._name, records, ())
