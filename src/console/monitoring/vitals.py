"""Whether a process lives and is ready, from what its handlers did last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from msgspec import Struct, field

LIVE_SECONDS = 120.0
"""The main loop turns several times a second; opening connections after a loss takes 40 at most."""
COMMIT_SECONDS = 60.0
"""Longer than an open transaction of a dead process, and than the watchdog of a commit."""


class Duty(Struct, kw_only=True):
    """What one consumer of this process does now. Changed by one thread, read by others.

    `owned` is None for a consumer that reads all partitions, in no group. `restoring` has how far a
    partition is, and its end; `taken_at` when records were read that are not committed yet.
    """

    name: str
    owned: frozenset[int] | None = frozenset()
    restoring: dict[int, tuple[int, int]] = field(default_factory=dict)
    taken_at: dict[int, float] = field(default_factory=dict)
    begun: bool = False


class Vitals:
    """The state of a process, by consumer. `seconds` is a clock that never goes back."""

    def __init__(
        self,
        seconds: Callable[[], float] = time.monotonic,
        live_seconds: float = LIVE_SECONDS,
        commit_seconds: float = COMMIT_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._live_seconds = live_seconds
        self._commit_seconds = commit_seconds
        self._turned_at = seconds()
        self.duties: dict[str, Duty] = {}

    def duty(self, name: str, *, all_partitions: bool = False) -> Duty:
        """The consumer of this name; the process is ready only when all its consumers are."""
        made = Duty(name=name, owned=None if all_partitions else frozenset())
        return self.duties.setdefault(name, made)

    def turned(self) -> None:
        """The main loop has moved."""
        self._turned_at = self._seconds()

    def owns(self, duty: Duty, partitions: frozenset[int]) -> None:
        """The partitions held now; lost ones are neither restored nor committed here."""
        duty.owned = partitions
        for of_partition in (duty.restoring, duty.taken_at):
            for lost in of_partition.keys() - partitions:
                of_partition.pop(lost, None)
        self.turned()

    def took(self, duty: Duty, partition: int) -> None:
        """Records were read; the time runs until they are committed."""
        duty.taken_at.setdefault(partition, self._seconds())
        self.turned()

    def committed(self, duty: Duty, partition: int) -> float:
        """What was read is committed; returns the seconds since it was read."""
        now = self._seconds()
        self._turned_at = now
        return now - duty.taken_at.pop(partition, now)

    def why_not_live(self) -> str | None:
        """None while the main loop moves; otherwise the reason for a restart."""
        still = self._seconds() - self._turned_at
        if still <= self._live_seconds:
            return None
        return f"the main loop has not moved for {still:.0f} s"

    def why_not_ready(self) -> str | None:
        """None if every consumer works; otherwise what is missing."""
        if not self.duties:
            return "no consumer has started yet"
        reasons = [reason for duty in list(self.duties.values()) for reason in self._missing(duty)]
        return "; ".join(reasons) or self.why_not_live()

    def _missing(self, duty: Duty) -> Iterator[str]:
        if duty.owned is not None and not duty.owned:
            yield f"{duty.name}: owns no partition of its group"
        for partition, (position, end) in sorted(duty.restoring.copy().items()):
            yield f"{duty.name}: partition {partition} is being restored, {position} of {end}"
        if duty.owned is None and not duty.begun:
            yield f"{duty.name}: has not read up to the end that the log had at its start"
        late = self._seconds() - self._commit_seconds
        for partition, since in sorted(duty.taken_at.copy().items()):
            if since < late:
                waited = self._seconds() - since
                yield f"{duty.name}: partition {partition} has not committed for {waited:.0f} s"
