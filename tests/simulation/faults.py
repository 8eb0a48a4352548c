"""The faults of a seed: which kinds it has at all, and how often each of them strikes."""

from __future__ import annotations

from random import Random

from msgspec import Struct

RATES = {
    # a process, at each of its steps
    "crash": 0.03,
    "pause": 0.02,
    # the client's transactions
    "lost first request": 0.1,
    "lost first reply": 0.1,
    "refused batch": 0.15,
    "lost produce reply": 0.2,
    "lost commit request": 0.25,
    "lost commit reply": 0.25,
    "delayed commit": 0.25,
    "failed commit": 0.15,
    "failed offsets": 0.1,
    # plain publishing, upstream's and the deadlines'
    "duplicated command": 0.4,
    "lost publish request": 0.2,
    "lost publish reply": 0.2,
    # the brokers, at each tick
    "rebalance": 0.01,
    "offsets deleted": 0.004,
    "hanging transaction": 0.004,
    "markers forgotten": 0.05,
    "broker clock step": 0.02,
    "slow answer": 0.1,
    # the database
    "connection cut": 0.02,
    "lost database reply": 0.05,
    "backup": 0.01,
    "older backup restored": 0.006,
    # the local store, at each start
    "store lost": 0.3,
    "store stale": 0.5,
    "store of another partition": 0.5,
    # what upstream sends
    "unreadable record": 0.3,
    "command that breaks the code": 0.3,
    "id used again": 0.3,
}
"""Every kind with the highest rate a seed can give it: a probability per opportunity."""

OF_SNAPSHOTS = {"snapshot of another partition": 0.01, "snapshot deleted": 0.01}
"""The same for snapshots, at each tick; drawn apart, only in seeds that have any."""

SHARE_OF_KINDS = 0.45
"""How many of the kinds a seed has, on average: few at a time reach deeper than all at once."""


class Habits(Struct, frozen=True, kw_only=True):
    """What is so for a whole seed."""

    markers_wait: float
    early_fence: bool
    session_ticks: int
    transaction_ticks: int
    skew_seconds: int


class Faults:
    """Draws every mishap of a seed, and counts those that struck."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.rates = {
            kind: chance.random() * highest if chance.random() < SHARE_OF_KINDS else 0.0
            for kind, highest in RATES.items()
        }
        self.habits = Habits(
            markers_wait=chance.choice((0.0, 0.5, 0.9)),
            early_fence=chance.random() < 0.3,
            session_ticks=chance.choice((40, 120)),
            transaction_ticks=chance.choice((100, 300)),
            skew_seconds=chance.choice((0, 0, 5, 3_600)),
        )
        self.struck: dict[str, int] = {}
        self._healed = False

    def add(self, kinds: dict[str, float], chance: Random) -> None:
        """More kinds, drawn apart from the others."""
        for kind, highest in kinds.items():
            rate = chance.random() * highest if chance.random() < SHARE_OF_KINDS else 0.0
            self.rates[kind] = rate

    def strikes(self, kind: str) -> bool:
        """Does this mishap happen now?"""
        rate = self.rates.get(kind)
        if rate and not self._healed and self._chance.random() < rate:
            self.struck[kind] = self.struck.get(kind, 0) + 1
            return True
        return False

    def heal(self) -> None:
        """From here on nothing goes wrong any more."""
        self._healed = True
        self.habits = Habits(
            markers_wait=0.0,
            early_fence=False,
            session_ticks=self.habits.session_ticks,
            transaction_ticks=self.habits.transaction_ticks,
            skew_seconds=0,
        )
