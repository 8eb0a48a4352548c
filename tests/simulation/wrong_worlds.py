"""Worlds that a sound process must refuse: after a seed, one of them is made and offered to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from consumers.deadlines.keeper import DeadlineKeeper
from consumers.deciding.decider import PartitionDecider
from consumers.deciding.decider import World as Ledger
from consumers.deciding.store import Store
from ledger.log.seam import Committed, LogRecord, Topic, WrongWorld
from ledger.wire.avro.codec import decode_event, encode_event
from projector.following import checkpoint
from projector.following import projection as projecting
from projector.following.event_reader import BrokenLog
from projector.views import VIEWS
from tests.simulation.broker import Partition, Transaction
from tests.simulation.database import Connection, SimulatedDeadlines, SimulatedTables, no_rows
from tests.simulation.log import SimulatedLog, SimulatedSource, SimulatedTools
from tests.simulation.processes import SkewedClock
from tests.simulation.scheduler import Process
from tests.simulation.world import World

SHARE_OF_SEEDS = 0.5
Entry = tuple[LogRecord | None, Transaction | None]


def accepted(world: World) -> list[str]:
    """In a share of the seeds, make one world wrong; what was not refused, in words."""
    if world.chance.random() >= SHARE_OF_SEEDS:
        return []
    world.scheduler.stop_all()
    wrong = world.chance.choice(WRONG)
    partition = _with_a_history(world)
    if partition is None:
        return []
    world.wrong_worlds += 1
    world.scheduler.note(f"made wrong: {wrong.__name__} in partition {partition}")
    try:
        wrong(world, partition)
    except (WrongWorld, BrokenLog):
        return []
    return [f"{wrong.__name__.replace('_', ' ')}, and it was not refused"]


def _the_last_events_are_lost(world: World, partition: int) -> None:
    events = world.broker.partitions[Topic.EVENTS, partition]
    last = list(_offsets(events))[-1]
    del events.entries[last:]
    _restored(world, partition)


def _the_offset_is_of_another_log(world: World, partition: int) -> None:
    place = (world.deciders.name, partition)
    known = world.broker.committed[place]
    world.broker.committed[place] = replace(known, metadata="7:" + "ab" * 32)
    _restored(world, partition)


def _the_offset_is_behind_the_last_event(world: World, partition: int) -> None:
    place = (world.deciders.name, partition)
    known, last = world.broker.committed[place], _last_source(world, partition)
    world.broker.committed[place] = Committed(offset=last, metadata=known.metadata)
    _restored(world, partition)


def _the_last_outcome_is_torn(world: World, partition: int) -> None:
    """As a torn commit would leave it: the first of two events, and the offset forgotten."""
    events = world.broker.partitions[Topic.EVENTS, partition]
    last = list(_offsets(events))[-1]
    record, within = events.entries[last]
    assert record is not None
    event = decode_event(record.value)
    torn = replace(event, meta=replace(event.meta, count=event.meta.count + 1))
    events.entries[last] = (replace(record, value=encode_event(torn)[0]), within)
    world.broker.committed.pop((world.deciders.name, partition), None)
    _restored(world, partition)


def _the_events_are_gone(world: World, partition: int) -> None:
    world.broker.partitions[Topic.EVENTS, partition].entries.clear()
    _restored(world, partition)


def _an_event_was_altered(world: World, partition: int) -> None:
    events = world.broker.partitions[Topic.EVENTS, partition]
    offset = list(_offsets(events))[-2]
    record, within = events.entries[offset]
    assert record is not None
    event = decode_event(record.value)
    other = replace(event, meta=replace(event.meta, occurred_at=event.meta.occurred_at + 1))
    events.entries[offset] = (replace(record, value=encode_event(other)[0]), within)
    _restored(world, partition)


def _the_ledger_was_opened_otherwise(world: World, partition: int) -> None:
    opened = replace(world.ledger.opened, partition_count=world.broker.partition_count + 1)
    _restored(world, partition, replace(world.ledger, opened=opened))


def _the_read_models_are_of_another_topic(world: World, partition: int) -> None:
    rows = world.database.rows.checkpoints
    number, _, *rest = rows[partition]
    rows[partition] = (number, "another topic", *rest)  # type: ignore[assignment]  # the same rest
    _projected(world)


def _the_read_models_are_ahead_of_the_log(world: World, partition: int) -> None:
    rows = world.database.rows.checkpoints
    number, topic_id, next_offset, *rest = rows[partition]
    rows[partition] = (number, topic_id, next_offset + 1, *rest)  # type: ignore[assignment]  # as above
    _projected(world)


def _an_event_is_missing(world: World, partition: int) -> None:
    events = world.broker.partitions[Topic.EVENTS, partition]
    events.entries[list(_offsets(events))[-2]] = (None, None)
    world.database.rows = no_rows()
    _projected(world)


def _the_deadlines_are_of_another_topic(world: World, partition: int) -> None:
    rows = world.database.rows.positions
    number, _, next_offset = rows[partition]
    rows[partition] = (number, "another topic", next_offset)
    connection = Connection(world, _probe())
    DeadlineKeeper(
        SimulatedDeadlines(connection),
        SimulatedSource(world),
        SimulatedTools(world),
        SkewedClock(world, "probe"),
        sandbox=False,
    )


WRONG: tuple[Callable[[World, int], None], ...] = (
    _the_last_events_are_lost,
    _the_offset_is_of_another_log,
    _the_offset_is_behind_the_last_event,
    _the_last_outcome_is_torn,
    _the_events_are_gone,
    _an_event_was_altered,
    _the_ledger_was_opened_otherwise,
    _the_read_models_are_of_another_topic,
    _the_read_models_are_ahead_of_the_log,
    _an_event_is_missing,
    _the_deadlines_are_of_another_topic,
)


def _with_a_history(world: World) -> int | None:
    """A partition with a few events and an offset."""
    for partition in range(world.broker.partition_count):
        events = world.broker.partitions[Topic.EVENTS, partition]
        known = (world.deciders.name, partition) in world.broker.committed
        if known and len(list(_offsets(events))) > 3:
            return partition
    return None


def _restored(world: World, partition: int, ledger: Ledger | None = None) -> None:
    """A decider with an empty store starts on it."""
    store = Store(None, partition, world.events_topic_id)
    log = SimulatedLog(world, _probe(), world.deciders, Topic.COMMANDS)
    PartitionDecider(log, partition, store, ledger or world.ledger).restore()


def _projected(world: World) -> None:
    """A projector starts on it and shows what there is."""
    source = SimulatedSource(world)
    tables = SimulatedTables(Connection(world, _probe()), source.topic_id)
    ends = source.ends()
    places = checkpoint.verified(tables.checkpoints(), projecting.CONSUMER, source.topic_id, ends)
    while batches := source.read(checkpoint.positions(places), 5_000, 0.0):
        places = projecting.show(tables, VIEWS, places, batches)


def _probe() -> Process:
    return Process("probe", lambda _: None)


def _offsets(events: Partition) -> Iterator[int]:
    """Where the committed events stand."""
    return (record.offset for record in events.read(0, events.end).records)


def _last_source(world: World, partition: int) -> int:
    events = world.broker.partitions[Topic.EVENTS, partition]
    return decode_event(events.read(0, events.end).records[-1].value).meta.source_offset
