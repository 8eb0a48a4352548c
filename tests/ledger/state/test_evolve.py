"""Folding takes every fact as it is."""

from __future__ import annotations

from ledger.state import MemoryState, evolve
from ledger.vocabulary.events import LedgerOpened
from tests.samples import sample_event


def test_the_opening_of_a_partition_changes_nothing() -> None:
    assert evolve(MemoryState(), sample_event(LedgerOpened)) == []
