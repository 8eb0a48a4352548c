"""The deadline keeper: follows the events into the deadlines, and sends what has come due."""

from __future__ import annotations

from typing import Any

import structlog
from msgspec.structs import replace
from psycopg import Connection

from consumers import deadline_table as table
from consumers.clock import Clock
from consumers.deadline_table import DueDeadline
from consumers.deadlines import HEEDED, DeadlineChange, deadline_changes
from consumers.follow_ups import command_record
from ledger.codec import decode_event, event_name_of, read_command
from ledger.ids import follow_up_id
from ledger.log import EventSource, LogTools, Outgoing

MAX_EVENTS = 5_000
MAX_DUE = 1_000

_log = structlog.get_logger(__name__)


class DeadlineKeeper:
    """Keeps the deadlines of all partitions. One at a time: the caller holds the lock.

    What is sent is marked after the log has it; a crash in between sends it again under the same
    id, and the decider knows it.
    """

    def __init__(
        self,
        connection: Connection[Any],
        source: EventSource,
        tools: LogTools,
        clock: Clock,
        *,
        sandbox: bool,
    ) -> None:
        self._connection = connection
        self._source = source
        self._tools = tools
        self._clock = clock
        self._sandbox = sandbox
        self._positions = table.positions(connection, source.topic_id, source.ends())

    def caught_up(self) -> bool:
        """Is every event that the log has now in the deadlines?"""
        ends = self._source.ends()
        return all(self._positions[partition] >= end for partition, end in enumerate(ends))

    def follow(self, timeout_seconds: float) -> int:
        """Take the next events into the deadlines; returns how many were read.

        1. Read. 2. Work out what they put and cancel. 3. Rows and positions in one transaction.
        A crash before 3 changes nothing; the same events are read again.
        """
        batches = self._source.read(self._positions, MAX_EVENTS, timeout_seconds)
        if not batches:
            return 0
        changes: list[tuple[int, DeadlineChange]] = []
        for partition, batch in batches.items():
            for found in batch.records:
                if event_name_of(found.value) in HEEDED:
                    recorded = decode_event(found.value)
                    changes += ((partition, each) for each in deadline_changes(recorded))
        moved = {partition: batch.next_position for partition, batch in batches.items()}
        table.keep(self._connection, changes, moved, self._source.topic_id)
        self._positions.update(moved)
        return sum(len(batch.records) for batch in batches.values())

    def fire(self) -> int:
        """Send what has come due, in order of instant and id; returns how much was sent.

        1. Ask which are due. 2. Send, and wait until the log has them. 3. Mark them.
        Should the broker have stamped one before its time (its clock is behind ours), the decider
        will refuse it `NOT_DUE`: it is sent again under the id of the next attempt.
        """
        now = self._clock.now()
        ready = table.due(self._connection, now, MAX_DUE, released=self._sandbox)
        if not ready:
            return 0
        acks = self._tools.publish([self._record(each) for each in ready])
        in_time: list[DueDeadline] = []
        early: list[DueDeadline] = []
        for each, ack in zip(ready, acks, strict=True):
            fits = self._sandbox or ack.appended_at >= each.due_at
            (in_time if fits else early).append(each)
        table.mark_sent(self._connection, in_time, now)
        if early:
            table.mark_early(self._connection, early)
        _log.info("deadlines fired", sent=len(in_time), early=len(early))
        return len(ready)

    def _record(self, each: DueDeadline) -> Outgoing:
        given = read_command(each.command)
        meta = given.meta
        if each.attempt > 1:
            again = _another_attempt(meta.causation_id or "", given.name, each)
            meta = replace(meta, command_id=again)
        if self._sandbox:
            meta = replace(meta, sandbox_at=each.due_at)
        return command_record(replace(given, meta=meta), self._tools.partition_count)


def _another_attempt(cause_event_id: str, name: str, each: DueDeadline) -> str:
    return follow_up_id(cause_event_id, f"{name}:{each.deadline_id}", 0, each.attempt)
