"""Planted bugs: each breaks one rule of how nothing is lost or doubled, and must be found out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.simulation.mutants import (
    deadlines,
    deciders,
    logs,
    projectors,
    reactors,
    rules,
    snapshots,
    stores,
)
from tests.simulation.mutants.planting import Mutant, Patch

__all__ = ["MUTANTS", "Mutant", "planted"]

MUTANTS: tuple[Mutant, ...] = (
    *logs.MUTANTS,
    *deciders.MUTANTS,
    *stores.MUTANTS,
    *snapshots.MUTANTS,
    *reactors.MUTANTS,
    *deadlines.MUTANTS,
    *projectors.MUTANTS,
    *rules.MUTANTS,
)
"""All of them, by the room they are in."""


@contextmanager
def planted(mutant: Mutant | None) -> Iterator[None]:
    """The code with a bug in it, or as it is."""
    patch = Patch()
    try:
        if mutant is not None:
            mutant.plant(patch)
        yield
    finally:
        patch.undo()
