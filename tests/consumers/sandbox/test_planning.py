"""A plan is what the simulation comes to when nobody does anything until then."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.sandbox.planning import folded, planned
from consumers.sandbox.simulated_time import step_to
from ledger.state import MemoryState
from ledger.state.entities import Instance, InstanceStatus, Purchase, Refund, Reservation
from ledger.terms.table import released_terms
from ledger.values.instants import DAY, Instant
from ledger.vocabulary.envelope import RecordedEvent
from tests.console.eligible import played
from tests.console.golden_files import EXAMPLES

TERMS = released_terms()
WAITS = (0, 1, 5 * DAY, 33 * DAY, 400 * DAY, 1200 * DAY)
CHOSEN = ("03-restore-by-renewal", "06-postpaid", "07-expiry", "11-marketplace-timer",
          "26-reservation-expiry", "45-what-may-be-done")  # fmt: skip


def things(state: MemoryState, account: str) -> dict[tuple[str, str], object]:
    """All that an owner can act on; and refunds, as far as they are issued."""
    found: dict[tuple[str, str], object] = {}
    for key, one in state.entities().items():
        if key.account_id != account:
            continue
        if isinstance(one, Instance | Purchase | Reservation):
            found[type(one).__name__, key.entity_id] = one
        if isinstance(one, Refund):
            found["Refund", key.entity_id] = one.amount
    return found


@pytest.mark.parametrize("name", CHOSEN)
def test_a_plan_is_what_the_simulation_comes_to(name: str) -> None:
    example = EXAMPLES / f"{name}.jsonl"
    for wait in WAITS:
        world, events = played(example)
        now, at = world.now(), world.now() + wait
        step_to(world, at, inclusive=False)
        later = folded([*events, *world.take_events()])
        for account in {event.meta.account_id for event in events}:
            own = [event for event in events if event.meta.account_id == account]
            found = planned(own, now=now, at=at, terms=TERMS)
            assert things(found, account) == things(later, account), (account, wait)


def at_the_end(example: Path, account: str) -> tuple[Instant, list[RecordedEvent]]:
    world, events = played(example)
    return world.now(), [event for event in events if event.meta.account_id == account]


def test_a_timer_of_the_instant_itself_leaves_the_first_word_to_a_person() -> None:
    now, events = at_the_end(EXAMPLES / "45-what-may-be-done.jsonl", "acct-eligible")
    instance = folded(events).find(Instance, "acct-eligible", "i-4")
    assert instance is not None
    assert instance.isolation is not None
    until = instance.isolation.restore_until
    for at, status in ((until, InstanceStatus.ISOLATED), (until + 1, InstanceStatus.DESTROYED)):
        then = planned(events, now=now, at=at, terms=TERMS).find(Instance, "acct-eligible", "i-4")
        assert then is not None
        assert then.status is status


def test_what_is_overdue_is_decided_now_and_not_in_the_past() -> None:
    now, events = at_the_end(EXAMPLES / "45-what-may-be-done.jsonl", "acct-eligible")
    late = now + 30 * DAY
    then = planned(events, now=late, at=late + 1, terms=TERMS).find(
        Instance, "acct-eligible", "i-4"
    )
    assert then is not None
    assert then.status is InstanceStatus.DESTROYED
