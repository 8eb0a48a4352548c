"""The decider's progress: the instant after which all future decisions will be."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.clock import Clock
from consumers.deciding.decider import GROUP
from ledger.log.seam import LogTools, Topic
from ledger.values.instants import SECOND, Instant

SKEW = 10 * SECOND
"""How far the broker's clock may be behind ours. A command is decided at its append time."""


class LedgerProgress:
    """Satisfies `projector.following.watermark.Reach`."""

    def __init__(self, tools: LogTools, clock: Clock) -> None:
        self._tools = tools
        self._clock = clock

    def now(self) -> Instant:
        """The present, from a clock that may be ahead of the broker's."""
        return max(0, self._clock.now() - SKEW)

    def given(self) -> Sequence[int]:
        """The end offsets of the commands."""
        return self._tools.end_offsets(Topic.COMMANDS)

    def decided(self) -> Sequence[int | None]:
        """The decider's committed offsets."""
        return self._tools.committed_offsets(GROUP, Topic.COMMANDS)
