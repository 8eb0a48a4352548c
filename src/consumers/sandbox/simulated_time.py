"""Simulated time: it advances from instant to instant, in memory and in a sandbox."""

from __future__ import annotations

from typing import Protocol

from ledger.values.instants import Instant
from ledger.vocabulary.envelope import GivenCommand


class SteppedWorld(Protocol):
    """A ledger whose clock is set by hand."""

    def now(self) -> Instant:
        """The present instant."""
        ...

    def set_now(self, instant: Instant) -> None:
        """Advance the clock; never back."""
        ...

    def next_due(self) -> Instant | None:
        """The earliest pending deadline, if there is one."""
        ...

    def fire(self, due_at: Instant) -> None:
        """Send the commands of all deadlines due by then, in order of instant and id."""
        ...

    def publish(self, given: GivenCommand) -> None:
        """Send a command."""
        ...

    def settle(self) -> None:
        """Return once everything sent so far is decided, with all its follow-ups."""
        ...


def step_to(world: SteppedWorld, instant: Instant, *, inclusive: bool) -> None:
    """Advance the clock to `instant`, with a stop at each deadline before it (`inclusive`: at it
    too).

    1. Set the clock to the earliest deadline. 2. Send its commands. 3. Wait until they and their
    follow-ups are decided, which may set or cancel deadlines. Repeat until none is left; then set
    the clock to `instant`. A deadline exactly at `instant` waits, so that commands of that instant
    come first.
    """
    while (due := world.next_due()) is not None:
        if due > instant or (due == instant and not inclusive):
            break
        world.set_now(max(world.now(), due))
        world.fire(due)
        world.settle()
    world.set_now(max(world.now(), instant))
