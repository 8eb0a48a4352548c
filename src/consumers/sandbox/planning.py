"""Planning: an account as it will be at a later instant, if nothing is done but by its timers."""

from __future__ import annotations

from collections.abc import Iterable

from consumers.sandbox.simulation import MemoryDeadlines
from ledger.eligibility.supposing import supposed
from ledger.state import MemoryState, evolve
from ledger.terms.table import TermsTable
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import RecordedEvent


def folded(events: Iterable[RecordedEvent]) -> MemoryState:
    """What the events add up to."""
    state = MemoryState()
    for event in events:
        state.apply(evolve(state, event))
    return state


def planned(
    events: Iterable[RecordedEvent], *, now: Instant, at: Instant, terms: TermsTable
) -> MemoryState:
    """The state of an account just before `at`, with all its deadlines until then decided.

    One that is overdue is decided `now`; one due at `at` itself not yet, so that a command given
    then comes first. Refunds that follow are not settled: no act of an owner looks at that.
    """
    state, deadlines = MemoryState(), MemoryDeadlines()

    def take(found: Iterable[RecordedEvent]) -> None:
        for event in found:
            state.apply(evolve(state, event))
            deadlines.follow(event)

    take(events)
    while (due := deadlines.next_due()) is not None and due < at:
        decided_at = max(due, now)
        for put in deadlines.take(due):
            take(supposed(put.command, state=state, now=decided_at, terms=terms.at(decided_at)))
    return state
