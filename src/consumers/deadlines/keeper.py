"""The deadline keeper: stores deadlines from the events, and sends those that are due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import structlog
from msgspec.structs import replace

from consumers.clock import Clock
from consumers.deadlines.schedule import HEEDED, DeadlineChange, attempt_id, deadline_changes
from consumers.deadlines.table import CONSUMER, DueDeadline
from consumers.follow_ups import command_record
from consumers.positions import Position, positions
from ledger.log.failpoints import passing
from ledger.log.seam import EventSource, LogTools, Outgoing
from ledger.origins.signing import Signing, unsigned
from ledger.values.instants import SECOND, Instant
from ledger.wire.avro.codec import decode_event, event_name_of, read_command

MAX_EVENTS = 5_000
MAX_DUE = 1_000
REST = SECOND
"""How long nothing is sent after a command came too early."""

_log = structlog.get_logger(__name__)


class DeadlineRows(Protocol):
    """The deadlines, stored together with the read positions. Each call is one transaction."""

    def positions(self) -> Iterable[Position]:
        """How far each partition was read."""
        ...

    def keep(
        self,
        changes: Iterable[tuple[int, DeadlineChange]],
        moved: Mapping[int, int],
        topic_id: str,
    ) -> None:
        """Set and cancel deadlines (partition, change) in order, and store the new positions."""
        ...

    def due(self, now: Instant, limit: int, *, released: bool) -> list[DueDeadline]:
        """The earliest deadlines that are due; in a sandbox, those that were released."""
        ...

    def mark_sent(self, sent: Sequence[DueDeadline], now: Instant) -> None:
        """Mark them: their commands are in the log."""
        ...


class DeadlineKeeper:
    """Keeps the deadlines of all partitions. One at a time: the caller holds the lock.

    A deadline is marked after the log has its command; a crash in between sends the same command id
    again, and the decider skips the duplicate. A command that comes too early, because the broker's
    clock is behind, is refused by the decider. That event makes the deadline pending again, with
    the id of the next attempt. So no crash and no older backup can lose it.
    """

    def __init__(
        self,
        rows: DeadlineRows,
        source: EventSource,
        tools: LogTools,
        clock: Clock,
        *,
        sandbox: bool,
        signing: Signing = unsigned,
    ) -> None:
        self._rows = rows
        self._source = source
        self._tools = tools
        self._clock = clock
        self._sandbox = sandbox
        self._signing = signing
        self._resting_since: Instant | None = None
        self._positions = positions(CONSUMER, rows.positions(), source.topic_id, source.ends())

    def caught_up(self) -> bool:
        """Have all events that are in the log now been processed?"""
        ends = self._source.ends()
        return all(self._positions[partition] >= end for partition, end in enumerate(ends))

    def follow(self, timeout_seconds: float) -> int:
        """Process the next events; returns how many were read.

        1. Read. 2. Compute what they set and cancel. 3. Write rows and positions in one
        transaction. A crash before 3 changes nothing; the same events are read again.
        """
        batches = self._source.read(self._positions, MAX_EVENTS, timeout_seconds)
        if not batches:
            return 0
        passing("deadlines.read")
        changes: list[tuple[int, DeadlineChange]] = []
        for partition, batch in batches.items():
            for found in batch.records:
                if event_name_of(found.value) in HEEDED:
                    recorded = decode_event(found.value)
                    changes += ((partition, each) for each in deadline_changes(recorded))
        moved = {partition: batch.next_position for partition, batch in batches.items()}
        self._rows.keep(changes, moved, self._source.topic_id)
        passing("deadlines.kept")
        self._positions.update(moved)
        return sum(len(batch.records) for batch in batches.values())

    def fire(self) -> int:
        """Send the due commands, in order of instant and id; returns how many were sent.

        1. Read which are due. 2. Send, and wait until the log has them. 3. Mark them.
        If the broker's timestamp of one is too early, nothing is sent for a second, because each
        attempt adds a refusal to the ledger.
        """
        now = self._clock.now()
        if self._resting_since is not None and 0 <= now - self._resting_since < REST:
            return 0
        ready = self._rows.due(now, MAX_DUE, released=self._sandbox)
        if not ready:
            return 0
        passing("deadlines.due")
        acks = self._tools.publish([self._record(each) for each in ready])
        passing("deadlines.sent")
        self._rows.mark_sent(ready, now)
        sent = zip(ready, acks, strict=True)
        early = sum(ack.appended_at < each.due_at for each, ack in sent if not self._sandbox)
        self._resting_since = now if early else None
        passing("deadlines.marked")
        _log.info("deadlines fired", sent=len(ready), early=early)
        return len(ready)

    def _record(self, each: DueDeadline) -> Outgoing:
        given = read_command(each.command)
        meta = given.meta
        if each.attempt > 1:
            again = attempt_id(given, each.deadline_id, each.attempt)
            meta = replace(meta, command_id=again)
        if self._sandbox:
            meta = replace(meta, sandbox_at=each.due_at)
        count = self._tools.partition_count
        return command_record(replace(given, meta=meta), count, self._signing())
