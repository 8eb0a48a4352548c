"""Gives each step to the checks that heed it, and keeps the first divergence of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from ledger.audit.evidence import (
    Divergence,
    Look,
    PartitionEnd,
    Seen,
    SeenCommand,
    SeenEvent,
    divergence,
)
from ledger.log.seam import Topic

First = tuple[int, Divergence]
"""A divergence, and the number of its step in the partition."""

_Looks = list[tuple[str, Callable[[Seen], Iterable[Divergence]]]]


class Looks:
    """Running checks by name. One that has found a divergence is not asked again.

    That a command lacks something is seen only at the next one. Its divergence has the command's
    number, so that the first one is the same whatever other records are in between.
    """

    def __init__(self, running: Mapping[str, Look], found: dict[str, First]) -> None:
        self._running = dict(running)
        self._found = found
        self._by_kind: dict[type, _Looks] = {}
        self._command = (0, -1)

    def give(self, number: int, seen: Seen) -> None:
        """Give the step with that number; keep a divergence that is earlier than a known one."""
        kind = type(seen.body) if isinstance(seen, SeenEvent) else type(seen)
        looks = self._by_kind.get(kind)
        if looks is None:
            looks = self._by_kind[kind] = self._heeding(kind, type(seen))
        for name, look in looks:
            try:
                for found in look(seen):
                    self._keep(name, number, found)
                    break
            except Exception as error:
                # A falsified log can have any event: also one that a check cannot calculate with.
                if isinstance(seen, PartitionEnd) or isinstance(error, MemoryError):
                    raise
                expected = "an event that can follow on those before it"
                self._keep(name, number, divergence(seen, expected=expected, found=repr(error)))
        if isinstance(seen, SeenCommand):
            self._command = (number, seen.record.offset)

    def _heeding(self, *kinds: type) -> _Looks:
        return [
            (name, check.look)
            for name, check in self._running.items()
            if any(kind in check.heeds for kind in kinds)
        ]

    def _keep(self, name: str, number: int, found: Divergence) -> None:
        del self._running[name]
        self._by_kind = {}
        command_number, offset = self._command
        if (found.topic, found.offset) == (Topic.COMMANDS, offset):
            number = command_number
        known = self._found.get(name)
        if known is None or number < known[0]:
            self._found[name] = (number, replace(found, check=name))
