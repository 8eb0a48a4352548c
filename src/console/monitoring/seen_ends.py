"""The lag of a consumer in seconds, from the ends of its topic that are seen from time to time."""

from __future__ import annotations

_MOST = 512
"""Ends remembered for one partition; with more, every second one is forgotten."""


class SeenEnds:
    """When one partition was first seen to be longer.

    The lag in seconds is as exact as the looks are close. After a start it is what this process has
    seen itself, so at most the truth.
    """

    def __init__(self) -> None:
        self._seen: list[tuple[int, float]] = []

    def seconds_behind(self, position: int, end: int, now: float) -> float:
        """How long ago the first record that is not read yet was first seen; 0 if all are read.

        Ends that are seen at 10 s and 20 s, a position between them and `now` 30: it is the second
        that is not reached, so the lag is 10 s.
        """
        if not self._seen or end > self._seen[-1][0]:
            self._seen.append((end, now))
        self._seen = [each for each in self._seen if each[0] > position]
        if len(self._seen) > _MOST:
            del self._seen[1:-1:2]
        return now - self._seen[0][1] if self._seen else 0.0
