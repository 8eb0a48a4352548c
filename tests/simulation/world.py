"""One seed: a ledger in a world where things go wrong, and then no longer do."""

from __future__ import annotations

import logging
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from random import Random
from types import ModuleType

import structlog

from consumers.deadlines import keeper as keeping
from consumers.deciding import decider as deciding
from consumers.deciding import folding, recording
from consumers.deciding.decider import GROUP as DECIDER
from consumers.deciding.decider import World as Ledger
from consumers.reacting import reactor as reacting
from consumers.reacting.reactor import GROUP as REACTIONS
from ledger.log.kafka.client.settings import KafkaSettings
from ledger.log.seam import Topic
from ledger.state import Change, State, evolve
from ledger.terms.table import released_terms
from ledger.values.instants import DAY, HOUR, MINUTE, SECOND, Instant
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import decode_command, decode_event
from projector.following import event_reader
from tests.simulation import processes, snapshots
from tests.simulation.broker import Broker
from tests.simulation.database import PENDING, Database
from tests.simulation.disk import Disks
from tests.simulation.faults import OF_SNAPSHOTS, Faults
from tests.simulation.groups import Group
from tests.simulation.scheduler import Scheduler, Violation
from tests.simulation.snapshots import SimulatedFollower
from tests.simulation.workload import BREAKER, PARTITIONS, START, library

FAULT_TICKS = (250, 900)
HEALING_TICKS = 12_000
"""Within so many ticks all must be well; twice, since deadlines come due in between."""
SHARE_OF_REAL_STORES = 0.25
SHARE_OF_LEAPS_TO_A_DEADLINE = 0.5
LAST_JUMP = 8 * DAY
_TICKS_A_SECOND = 4
_TICK = 50_000
_JUMPS = (SECOND, MINUTE, HOUR, 6 * HOUR, DAY)
_BROKER_STEPS = tuple(SECOND * seconds for seconds in (-3_600, -30, -1, 0, 1, 30))
_TERMS = released_terms()
_READERS = (deciding, folding, reacting, keeping, event_reader)
remembered_event = lru_cache(maxsize=2_000)(decode_event)
_remembered_command = lru_cache(maxsize=5_000)(decode_command)
_MEMORY = Path("/dev/shm")


class World:
    """Everything there is in one seed."""

    def __init__(self, seed: int, trace: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.chance = chance = Random(seed)
        self.faults = Faults(chance)
        self.scheduler = Scheduler(chance, self.faults)
        self.scheduler.trace = trace
        self.pause = self.scheduler.pause
        self.now: Instant = START
        self.commits = 0
        self.wrong_worlds = 0
        self.broker = Broker(PARTITIONS, self.faults, chance, self._append_time)
        self.deciders = Group(DECIDER, PARTITIONS, chance)
        self.reactors = Group(REACTIONS, PARTITIONS, chance)
        self.database = Database()
        self.settings = KafkaSettings(
            bootstrap="", partition_count=PARTITIONS, slow_commit_seconds=50
        )
        self.ledger = _ledger(chance.choice((3, 20)))
        self.events_topic_id = self.ledger.events_topic_id
        folder = None
        if chance.random() < SHARE_OF_REAL_STORES:
            folder = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
        self.disks = Disks(folder, self.events_topic_id, self.faults, chance)
        self.followers: dict[str, SimulatedFollower] = defaultdict(SimulatedFollower)
        if self.disks.are_real:
            self.faults.add(OF_SNAPSHOTS, Random(f"{seed} snapshots"))
        self.stories = chance.sample(library(), chance.randint(2, 5))
        self._fetch = chance.choice((2, 1_000))
        self._jump_rate = chance.choice((0.002, 0.01, 0.03))
        self._broker_skew = 0
        self._skews: dict[str, int] = {}

    def run(self) -> None:
        """Live through the faults, then heal. Raises Violation where it does not come right."""
        self._start_processes()
        for _ in range(self.chance.randint(*FAULT_TICKS)):
            self.tick()
            self._misfortunes()
        self.scheduler.note("from here on nothing goes wrong any more")
        self.faults.heal()
        self.deciders.gentle = self.reactors.gentle = True
        self.scheduler.wake_all()
        if self.faults.struck.get("offsets deleted"):
            self.scheduler.restart_all()
        self._broker_skew = 0
        self._come_right("after the faults")
        self.now += LAST_JUMP
        self._come_right("after the last deadlines")

    def close(self) -> None:
        """Let go of files and threads."""
        self.scheduler.stop_all()
        self.disks.close()
        self.disks.remove()

    def tick(self) -> None:
        """The brokers go on, and one process makes a step."""
        self.now += _TICK
        tick = self.scheduler.tick
        if tick % 8 == 0 or self.broker.busy:
            self.broker.advance(tick)
        if tick % 16 == 0:
            for group in (self.deciders, self.reactors):
                group.expire(tick, self.faults.habits.session_ticks)
            self.database.cut_those_of_the_dead()
        self.scheduler.run_one()

    def fetch_size(self, most: int) -> int:
        """How many records come at once."""
        return min(most, self._fetch)

    @property
    def seconds(self) -> float:
        """A monotonic clock, for the patience of clients."""
        return self.scheduler.tick / _TICKS_A_SECOND

    def ends(self, topic: Topic) -> tuple[int, ...]:
        """The high watermarks of a topic."""
        return tuple(self.broker.partitions[topic, p].end for p in range(PARTITIONS))

    def skew_of(self, slot: str) -> int:
        """How far a machine's clock is off, in micros."""
        if slot not in self._skews:
            self._skews[slot] = self.chance.choice((-1, 0, 1))
        return self._skews[slot] * self.faults.habits.skew_seconds * SECOND

    def at_rest(self) -> bool:
        """Is everything done that there is to do?"""
        if not self.broker.at_rest:
            return False
        if any(slot.startswith("upstream") for slot in self.scheduler.slots):
            return False
        events = self.ends(Topic.EVENTS)
        rows = self.database.rows
        for partition in range(PARTITIONS):
            decided = self.broker.committed.get((DECIDER, partition))
            reacted = self.broker.committed.get((REACTIONS, partition))
            shown, noted = rows.checkpoints.get(partition), rows.positions.get(partition)
            if not self._all_decided(partition, None if decided is None else decided.offset):
                return False
            if reacted is None or reacted.offset != events[partition]:
                return False
            if shown is None or shown[2] != events[partition]:
                return False
            if noted is None or noted[2] != events[partition]:
                return False
        return not any(
            row.state == PENDING and row.due.due_at <= self.now for row in rows.deadlines.values()
        )

    def _all_decided(self, partition: int, offset: int | None) -> bool:
        """An offset that was forgotten stands in the log: the last event names its command."""
        end = self.broker.partitions[Topic.COMMANDS, partition].end
        if offset is not None or not self.faults.struck.get("offsets deleted"):
            return offset == end
        events = self.broker.partitions[Topic.EVENTS, partition]
        found = events.read(0, events.end).records
        return bool(found) and decode_event(found[-1].value).meta.source_offset + 1 == end

    def _come_right(self, when: str) -> None:
        for count in range(HEALING_TICKS):
            self.tick()
            if count % 16 == 0 and self.at_rest():
                self.scheduler.note(f"all is well {when}")
                return
        raise Violation(f"all is not well {when}: {self._unfinished()}")

    def _unfinished(self) -> str:
        rows = self.database.rows
        due = [p for p, r in rows.deadlines.items() if r.state == PENDING]
        return (
            f"commands end at {self.ends(Topic.COMMANDS)}, events at {self.ends(Topic.EVENTS)}, "
            f"offsets {self.broker.committed}, shown {rows.checkpoints}, "
            f"deadlines read {rows.positions}, pending {due}, still there "
            f"{sorted(self.scheduler.slots)}"
        )

    def _start_processes(self) -> None:
        add, chance = self.scheduler.add, self.chance
        for number in range(chance.choice((1, 2, 2, 3))):
            add(f"decider-{number}", processes.decider(self))
            if self.disks.are_real:
                add(f"snapshots-{number}", snapshots.writer(self, f"decider-{number}"))
        for number in range(chance.choice((1, 2, 2, 3))):
            add(f"reactions-{number}", processes.reactions(self))
        for number in range(chance.choice((1, 1, 2))):
            add(f"projector-{number}", processes.projector(self))
        for story in self.stories:
            add(f"upstream-{story.account_id}", processes.upstream(self, story))

    def _misfortunes(self) -> None:
        """What befalls the world itself at this tick."""
        strikes, chance = self.faults.strikes, self.chance
        if self._jump_rate and chance.random() < self._jump_rate:
            self._leap()
        if strikes("rebalance"):
            chance.choice((self.deciders, self.reactors)).rebalance()
        if strikes("offsets deleted"):
            group = chance.choice((DECIDER, REACTIONS))
            self.broker.committed.pop((group, chance.randrange(PARTITIONS)), None)
        if strikes("hanging transaction"):
            self.broker.hang((Topic.EVENTS, chance.randrange(PARTITIONS)))
        if self.broker.ending and strikes("markers forgotten"):
            self.broker.forget_markers()
        if strikes("broker clock step"):
            self._broker_skew = chance.choice(_BROKER_STEPS)
        if strikes("backup"):
            self.database.backup = self.database.rows.copy()
        if strikes("older backup restored"):
            self.scheduler.note("an older backup is restored")
            self.database.restore()
        if strikes("snapshot deleted"):
            snapshots.deleted(self)
        if strikes("snapshot of another partition"):
            snapshots.of_another_partition(self)

    def _leap(self) -> None:
        """Time passes in which nothing happens; often just as much as a deadline is away."""
        rows = self.database.rows.deadlines.values()
        to_come = [r.due.due_at for r in rows if r.state == PENDING and r.due.due_at > self.now]
        if to_come and self.chance.random() < SHARE_OF_LEAPS_TO_A_DEADLINE:
            self.now = max(self.now, min(to_come) + self.chance.choice((-SECOND, 0, SECOND)))
        else:
            self.now += self.chance.choice(_JUMPS)

    def _append_time(self) -> Instant:
        """The broker's clock, in whole milliseconds as it is on the wire."""
        return (self.now + self._broker_skew) // 1_000 * 1_000


def _ledger(max_batch: int) -> Ledger:
    topic_ids = {topic.value: f"simulated-{topic.value}" for topic in Topic}
    opened = LedgerOpened(
        partition_count=PARTITIONS,
        topic_ids=topic_ids,
        sandbox=False,
        program_version="simulated",
    )
    return Ledger(opened=opened, terms=_TERMS, max_batch=max_batch)


@contextmanager
def quiet_and_breakable() -> Iterator[None]:
    """Nothing is logged, nothing is decoded twice, and our code has a bug: it trips over the last
    event of some commands.
    """
    structlog.configure(processors=[_drop], cache_logger_on_first_use=False)
    logging.disable(logging.CRITICAL)
    others: list[tuple[ModuleType, str, object]] = [
        *((module, "decode_event", remembered_event) for module in _READERS),
        (recording, "decode_command", _remembered_command),
        (deciding, "evolve", _evolve),
    ]
    standing = [(module, name, getattr(module, name)) for module, name, _ in others]
    for module, name, other in others:
        setattr(module, name, other)
    try:
        yield
    finally:
        for module, name, own in standing:
            setattr(module, name, own)
        logging.disable(logging.NOTSET)
        structlog.reset_defaults()


def _evolve(state: State, recorded: RecordedEvent) -> list[Change]:
    meta = recorded.meta
    if meta.actor.id == BREAKER and meta.index == meta.count - 1:
        raise RuntimeError("a bug of ours")
    return evolve(state, recorded)


def _drop(logger: object, name: str, event: object) -> dict[str, object]:
    raise structlog.DropEvent
