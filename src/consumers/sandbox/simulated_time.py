"""Stepping: how simulated time goes on from instant to instant, in memory and in a sandbox."""

from __future__ import annotations

from typing import Protocol

from ledger.values.instants import Instant
from ledger.vocabulary.envelope import GivenCommand


class SteppedWorld(Protocol):
    """A ledger whose time only goes when told to."""

    def now(self) -> Instant:
        """Where time stands."""
        ...

    def set_now(self, instant: Instant) -> None:
        """Move time on; never back."""
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
    """Let time go to `instant`, stopping at each deadline before it (`inclusive`: at it too).

    1. The earliest deadline's instant comes. 2. Its commands are sent. 3. They and their follow-ups
    are decided, which may put or cancel deadlines. Again, until none is left; then `instant` comes.
    One due exactly at `instant` is left for later, so that commands of that instant go first.
    """
    while (due := world.next_due()) is not None:
        if due > instant or (due == instant and not inclusive):
            break
        world.set_now(max(world.now(), due))
        world.fire(due)
        world.settle()
    world.set_now(max(world.now(), instant))
