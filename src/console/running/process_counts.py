"""How many processes share a ledger's work, and how many brokers it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from console.running.ledger_locator import BROKERS
from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from devstack import Status

PROCESSES = ("decider", "reactions", "projector", "webhooks")
SHARED = ("decider", "reactions")
"""The kinds of processes that can run several times; there is one of each other."""


def known_brokers(seen: Status | None, asked: int | None) -> int:
    """How many brokers the ledger has; BadInput if another number is requested."""
    from devstack import State

    fresh = seen is None or seen.state in (State.ABSENT, State.FAILED) or not seen.metadata
    known = None if fresh or seen is None else int(seen.metadata.get(BROKERS, 1))
    if known is not None and asked not in (None, known):
        raise BadInput(
            f"the ledger has {known} broker{'s' if known > 1 else ''}, and this never changes; "
            "leave --brokers out, or set REFUNDS_HOME to a new folder"
        )
    count = known if known is not None else 1 if asked is None else asked
    if count not in (1, 3):
        raise BadInput(f"--brokers {count}: a ledger has 1 broker or 3")
    return count


def counts_of(
    known: Mapping[str, str], asked: Mapping[str, int | None], partitions: int
) -> dict[str, int]:
    """How many of each: the requested number, else the known one; BadInput if too many."""
    wanted = {name: asked.get(name) for name in SHARED}
    found = {
        name: int(known.get(name, 1)) if count is None else count for name, count in wanted.items()
    }
    for name, count in found.items():
        if not 1 <= count <= partitions:
            raise BadInput(
                f"{name}: {count} processes cannot share {partitions} partitions; each needs one, "
                f"so there may be 1 to {partitions}"
            )
    return found


def names_of(metadata: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each process and its name: the second decider is `decider-2`."""
    return [
        (process, process if number == 1 else f"{process}-{number}")
        for process in PROCESSES
        for number in range(1, int(metadata.get(process, 1)) + 1)
    ]
