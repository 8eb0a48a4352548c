"""Whatever commands a ledger is given, in whatever order: three folds of its events agree."""

from __future__ import annotations

import random
from itertools import groupby

import pytest

from ledger.terms.table import released_terms
from projector.rebuilding.rebuild import rebuild
from projector.reconciling.reconcile import reconcile
from projector.views import VIEWS
from tests.projector.conftest import catch_up, dump
from tests.projector.stories import MemorySource, Story
from tests.properties.proposals import proposed, stocked
from tests.properties.test_any_sequence import FOCUS, WAITS
from tests.properties.world import ACCOUNTS, World

STEPS = 500
CURRENCIES = dict(zip(ACCOUNTS, ("KWD", "USD", "EUR", "USD"), strict=True))


def any_sequence(seed: int) -> World:
    """Proposals of every kind, as `tests.properties` makes them, to one ledger."""
    chance = random.Random(seed)
    world = World(released_terms(), CURRENCIES)
    for account in ACCOUNTS:
        stocked(world, account)
    for _ in range(STEPS):
        world.s.later(chance.choice(WAITS)).account = chance.choice([*FOCUS, *ACCOUNTS])
        make = proposed(world.s.account, chance.randrange(56))
        make(world, chance.randrange(64), chance.randrange(64), chance.randint(1, 10**6))
    return world


def as_a_log(world: World) -> MemorySource:
    """Its events, chained partition by partition as a decider would have written them."""
    story = Story()
    of_a_command = groupby(
        world.s.recorded, lambda event: (event.meta.causation_id, event.meta.recorded_at)
    )
    for _, events in of_a_command:
        outcome = list(events)
        first = outcome[0].meta
        story.command(first.account_id, *(e.body for e in outcome), at=first.recorded_at)
    source = MemorySource(story.partition_count)
    source.append(story.values)
    return source


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_live_tables_a_rebuild_and_the_reconciliation_agree(migrated: str, seed: int) -> None:
    source = as_a_log(any_sequence(seed))
    catch_up(migrated, source, max_records=97)
    live = dump(migrated)
    assert min(len(live["refunds"]), len(live["postings"]), len(live["outcomes"])) > 10
    assert reconcile(migrated, source).divergences == ()
    assert rebuild(migrated, source, VIEWS, verify=True).divergences == ()
    assert {name: rows for name, rows in dump(migrated).items() if name != "checkpoints"} == {
        name: rows for name, rows in live.items() if name != "checkpoints"
    }
    assert reconcile(migrated, source).divergences == ()
