"""The properties find faults of upgrades and downgrades that would give money back twice."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from ledger.state import instances
from ledger.state.entities import InstanceOrder
from ledger.terms.table import released_terms
from ledger.vocabulary.events import InstanceDowngraded
from tests.properties.instance_proposals import (
    enlarge,
    give_back,
    order_instances,
    renew,
    shrink,
)
from tests.properties.proposals import Proposal
from tests.properties.test_any_sequence import WAITS
from tests.properties.world import ONLINE, World
from tests.scenario import with_terms

STORIES = 150
STEPS = 40
ACTS: tuple[Proposal, ...] = (order_instances, renew, enlarge, enlarge, shrink, shrink, give_back)


def lived(seed: int) -> None:
    """A story of changed instances; AssertionError where an invariant does not hold."""
    chance = random.Random(seed)
    terms = with_terms(released_terms(), full_refunds_per_account=seed % 2)
    w = World(terms, {"online": "CNY", "ea": "EUR", "csp": "USD", "card": "USD"})
    w.s.account = ONLINE
    for _ in range(STEPS):
        w.s.later(chance.choice(WAITS))
        act = chance.choice(ACTS)
        act(w, chance.randrange(64), chance.randrange(64), chance.randrange(1, 500))
        w.s.account = ONLINE
    w.recounted()


def lived_through(stories: int) -> None:
    """So many, each from a seed of its own."""
    for seed in range(stories):
        lived(seed)


def refund_left_too(patch: pytest.MonkeyPatch) -> None:
    """What a downgrade gave back counts as paid still."""
    right = instances._smaller

    def wrong(order: InstanceOrder, event: InstanceDowngraded) -> InstanceOrder:
        paid = order.line.paid
        found = right(order, event)
        return replace(found, line=replace(found.line, paid=paid))

    patch.setattr(instances, "_smaller", wrong)


def upgrades_kept(patch: pytest.MonkeyPatch) -> None:
    """An upgrade goes back by days again, though it is a part of what was left."""
    right = instances._smaller

    def wrong(order: InstanceOrder, event: InstanceDowngraded) -> InstanceOrder:
        return replace(right(order, event), upgrades=order.upgrades)

    patch.setattr(instances, "_smaller", wrong)


PLANTED: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    refund_left_too,
    upgrades_kept,
)


def test_without_a_fault_every_story_holds() -> None:
    lived_through(STORIES // 3)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        lived_through(STORIES)
