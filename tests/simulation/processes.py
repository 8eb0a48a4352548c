"""The processes of the ledger and of upstream, each the real handler in its real loop."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Flag
from typing import TYPE_CHECKING, cast

from consumers import runner
from consumers.deadlines.keeper import DeadlineKeeper
from consumers.deciding.decider import PartitionDecider
from consumers.reacting.reactor import PartitionReactor
from consumers.runner import Partitions
from ledger.log.seam import LogUnavailable, Outgoing, Topic
from ledger.values.instants import Instant
from projector import runner as projector_runner
from projector.following import checkpoint
from projector.following import projection as projecting
from tests.simulation import workload
from tests.simulation.database import Connection, SimulatedDeadlines, SimulatedTables
from tests.simulation.log import SimulatedLog, SimulatedSource, SimulatedTools
from tests.simulation.snapshots import SimulatedSnapshots

if TYPE_CHECKING:
    from psycopg import Connection as PostgresConnection

    from tests.simulation.scheduler import Process
    from tests.simulation.workload import Story
    from tests.simulation.world import World

Main = Callable[["Process"], None]
_NEVER = Flag()


def decider(world: World) -> Main:
    """Decides what it owns."""

    def main(process: Process) -> None:
        log = SimulatedLog(world, process, world.deciders, Topic.COMMANDS)

        snapshots = SimulatedSnapshots(world, process)
        follower = world.followers[process.slot]

        def owner(partition: int) -> PartitionDecider:
            store = world.disks.open(process.slot, partition, snapshots, follower)
            return PartitionDecider(log, partition, store, world.ledger)

        runner.run_partitions(Partitions(log, owner), _NEVER, _ready)

    return main


def reactions(world: World) -> Main:
    """Reacts to what it owns; one of them keeps the deadlines too."""

    def main(process: Process) -> None:
        log = SimulatedLog(world, process, world.reactors, Topic.EVENTS)
        connection = Connection(world, process)
        partitions = Partitions(log, lambda p: PartitionReactor(log, p, sandbox=False))

        def keeper() -> DeadlineKeeper:
            return DeadlineKeeper(
                SimulatedDeadlines(connection),
                SimulatedSource(world),
                SimulatedTools(world),
                SkewedClock(world, process.slot),
                sandbox=False,
            )

        session = cast("PostgresConnection[object]", connection)
        runner.run_reactions(partitions, session, keeper, _NEVER, _ready)

    return main


def projector(world: World) -> Main:
    """Shows the events, while no other does."""

    def main(process: Process) -> None:
        connection = Connection(world, process)
        while not connection.try_lock("projector"):
            world.pause("wait for the other projector to end", rest=True)
        source = SimulatedSource(world)
        tables = SimulatedTables(connection, source.topic_id)
        ends = source.ends()
        places = checkpoint.verified(
            tables.checkpoints(), projecting.CONSUMER, source.topic_id, ends
        )
        projection = projecting.Projection(conninfo="simulated")
        projector_runner.follow_on(tables, projection, source, places, ends, _NEVER)

    return main


def upstream(world: World, story: Story) -> Main:
    """Publishes an account's commands in order, each until it is acknowledged."""
    progress = 0

    def main(process: Process) -> None:
        nonlocal progress
        tools = SimulatedTools(world)
        while progress < len(story.given):
            for record in _mixed_in(world, story, progress):
                _publish(tools, record)
            progress += 1
            for _ in range(world.chance.randint(0, 2)):
                world.pause("wait with the next command", rest=True)

    return main


class SkewedClock:
    """The clock of one machine."""

    def __init__(self, world: World, slot: str) -> None:
        self._world = world
        self._slot = slot

    def now(self) -> Instant:
        """What it shows."""
        return self._world.now + self._world.skew_of(self._slot)


def _mixed_in(world: World, story: Story, number: int) -> list[Outgoing]:
    """A command, and whatever of upstream's mishaps comes with it."""
    given, record = story.given[number], story.records[number]
    strikes = world.faults.strikes
    records = [record]
    if strikes("command that breaks the code"):
        records.insert(0, workload.record_of(workload.broken(given)))
    if strikes("unreadable record"):
        records.insert(0, world.chance.choice(workload.unreadable(story, number)))
    if strikes("id used again"):
        records += [workload.record_of(workload.used_again(given))] * world.chance.randint(1, 2)
    if strikes("duplicated command"):
        records.append(world.chance.choice(story.records[: number + 1]))
    return records


def _publish(tools: SimulatedTools, record: Outgoing) -> None:
    while True:
        try:
            tools.publish([record])
            return
        except LogUnavailable:
            continue


def _ready() -> None:
    """Nobody waits for it here."""
