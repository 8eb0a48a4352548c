"""One seed from beginning to end, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from msgspec import Struct, field

from ledger.log.seam import Topic
from tests.simulation import oracle, wrong_worlds
from tests.simulation.mutants import Mutant, planted
from tests.simulation.scheduler import Violation
from tests.simulation.world import World, quiet_and_breakable


class Figures(Struct, kw_only=True):
    """What some seeds had in them, added up."""

    seeds: int = 0
    steps: int = 0
    ticks: int = 0
    commands: int = 0
    events: int = 0
    commits: int = 0
    crashes: int = 0
    starts: int = 0
    rebalances: int = 0
    wrong_worlds: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def add(self, other: Figures) -> None:
        """Take in the figures of other seeds."""
        for name in self.__struct_fields__:
            if name != "faults":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults = dict(Counter(self.faults) + Counter(other.faults))


class Lived(Struct, kw_only=True):
    """A seed's figures, and what was not as it must be: empty for a sound history."""

    seed: int
    figures: Figures
    violations: list[str]


def live(
    seed: int, mutant: Mutant | None = None, trace: Callable[[str], None] | None = None
) -> Lived:
    """Live through a seed, with a bug planted or without, and judge it by the oracle."""
    with quiet_and_breakable():
        world = World(seed, trace)
        try:
            found = _lived(world, mutant)
        finally:
            world.close()
    return Lived(seed=seed, figures=_figures(world), violations=found)


def _lived(world: World, mutant: Mutant | None) -> list[str]:
    try:
        with planted(mutant):
            world.run()
    except Violation as violation:
        return [str(violation)]
    found = oracle.violations(world)
    if found:
        return found
    with planted(mutant):
        return wrong_worlds.accepted(world)


def _figures(world: World) -> Figures:
    count = {
        topic: sum(1 for _ in world.broker.committed_records(topic))
        for topic in (Topic.COMMANDS, Topic.EVENTS)
    }
    return Figures(
        seeds=1,
        steps=world.scheduler.steps,
        ticks=world.scheduler.tick,
        commands=count[Topic.COMMANDS],
        events=count[Topic.EVENTS],
        commits=world.commits,
        crashes=world.scheduler.crashes,
        starts=world.scheduler.restarts,
        rebalances=world.deciders.rebalances + world.reactors.rebalances,
        wrong_worlds=world.wrong_worlds,
        faults=world.faults.struck,
    )
