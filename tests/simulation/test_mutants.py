"""Every planted bug is found, each within a bounded number of seeds."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, Mutant, planted
from tests.simulation.mutants.found_by import FOUND_BY
from tests.simulation.run import hunt
from tests.simulation.seeds import live

MOST_SEEDS = 400
"""How far a hunt goes on where a change of the code has made the known seed another history."""


def test_there_are_enough_of_them_each_with_a_name_and_a_rule() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names) >= 25
    assert all(mutant.rule.endswith((".", ")")) for mutant in MUTANTS)
    assert set(FOUND_BY) == set(names)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant) -> None:
    first = FOUND_BY[mutant.name]
    found = hunt(mutant, first, 1) or hunt(mutant, 0, MOST_SEEDS)
    assert found is not None, f"{mutant.name} survived {MOST_SEEDS} seeds: {mutant.rule}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_without_the_bug_the_same_seed_is_sound(mutant: Mutant) -> None:
    assert live(FOUND_BY[mutant.name]).violations == []


def test_a_bug_is_gone_once_it_is_no_longer_planted() -> None:
    from consumers.deciding.decider import PartitionDecider

    sound = vars(PartitionDecider)["restoring"]
    for mutant in MUTANTS:
        with planted(mutant):
            pass
    assert vars(PartitionDecider)["restoring"] is sound
