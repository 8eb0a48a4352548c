"""The simulation: the same decider, reactions and deadlines over a log in memory."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from consumers.deadlines.schedule import CancelDeadline, PutDeadline, deadline_changes
from consumers.deciding.decider import GROUP, PartitionDecider, World
from consumers.deciding.store import Store
from consumers.follow_ups import command_record
from consumers.reacting.reactor import GROUP as REACTIONS_GROUP
from consumers.reacting.reactor import PartitionReactor
from ledger.log.memory import MemoryCluster
from ledger.log.seam import Topic
from ledger.terms.table import TermsTable
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import GivenCommand, RecordedEvent
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import decode_event


class MemoryDeadlines:
    """Pending deadlines in memory, by id."""

    def __init__(self) -> None:
        self._pending: dict[str, PutDeadline] = {}

    def follow(self, recorded: RecordedEvent) -> None:
        """Set and cancel the deadlines of an event."""
        for change in deadline_changes(recorded):
            if isinstance(change, PutDeadline):
                self._pending[change.deadline_id] = change
            elif isinstance(change, CancelDeadline):
                self._pending.pop(change.deadline_id, None)

    def next_due(self) -> Instant | None:
        """The earliest pending deadline."""
        return min((put.due_at for put in self._pending.values()), default=None)

    def take(self, due_at: Instant) -> list[PutDeadline]:
        """Everything due by then, in order of instant and id; no longer pending."""
        due = [put for put in self._pending.values() if put.due_at <= due_at]
        due.sort(key=lambda put: (put.due_at, put.deadline_id))
        for put in due:
            del self._pending[put.deadline_id]
        return due


class Simulation:
    """A whole sandbox ledger of one partition in memory; satisfies `SteppedWorld`."""

    def __init__(self, terms: TermsTable, program_version: str) -> None:
        self._now: Instant = 0
        self._cluster = MemoryCluster(1, self.now)
        self._deadlines = MemoryDeadlines()
        topic_ids = {topic.value: f"memory-{topic.value}" for topic in Topic}
        opened = LedgerOpened(
            partition_count=1, topic_ids=topic_ids, sandbox=True, program_version=program_version
        )
        world = World(opened=opened, terms=terms)
        store = Store(None, 0, world.events_topic_id)
        log = self._cluster.consumer(GROUP, Topic.COMMANDS)
        self._decider = PartitionDecider(log, 0, store, world)
        reacting = self._cluster.consumer(REACTIONS_GROUP, Topic.EVENTS)
        self._reactor = PartitionReactor(reacting, 0, sandbox=True)
        self._events: list[RecordedEvent] = []
        self._followed = 0
        self._decider.restore()
        self._reactor.restore()
        self.settle()
        self._events.clear()

    def now(self) -> Instant:
        """The present instant."""
        return self._now

    def set_now(self, instant: Instant) -> None:
        """Advance the clock."""
        self._now = max(self._now, instant)

    def next_due(self) -> Instant | None:
        """The earliest pending deadline."""
        return self._deadlines.next_due()

    def fire(self, due_at: Instant) -> None:
        """Send the commands of all deadlines due by then, each with its own instant."""
        for put in self._deadlines.take(due_at):
            meta = replace(put.command.meta, sandbox_at=put.due_at)
            self.publish(replace(put.command, meta=meta))

    def publish(self, given: GivenCommand) -> None:
        """Send a command."""
        self._cluster.publish([command_record(given, 1)])

    def settle(self) -> None:
        """Decide and react until nothing is left to do."""
        busy = True
        while busy:
            decided = self._decider.step(0)
            reacted = self._reactor.step(0)
            followed = self._follow()
            busy = bool(decided or reacted or followed)

    def take_events(self) -> Iterator[RecordedEvent]:
        """The events recorded since the last call, in order."""
        taken, self._events = self._events, []
        return iter(taken)

    def _follow(self) -> int:
        ends = self._cluster.end_offsets(Topic.EVENTS)
        if self._followed == ends[0]:
            return 0
        found = list(self._cluster.replay(Topic.EVENTS, [self._followed]))
        self._followed = ends[0]
        for record in found:
            recorded = decode_event(record.value)
            self._deadlines.follow(recorded)
            self._events.append(recorded)
        return len(found)
