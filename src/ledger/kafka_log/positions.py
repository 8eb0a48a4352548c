"""Where a consumer stands, and noticing that it stands still though there is more to read.

After the loss of a broker the client can wait for an answer that never comes: it asks the lost one
about a position, or has a fetch under way to it, and until that is answered it asks nobody else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from kafka import TopicPartition

from ledger.kafka_log.offsets import Offsets
from ledger.kafka_log.settings import KafkaSettings
from ledger.log import LogUnavailable, Topic

_log = logging.getLogger(__name__)


def position_of(consumer: Any, place: TopicPartition) -> int:
    """The offset of the next record that a consumer will hand out, as it knows it itself.

    Its own `position` may ask brokers, and wait for one that is lost without end. KeyError if the
    partition is not, or no longer, assigned.
    """
    position: int = consumer._subscription.assignment[place].position.offset
    return position


class Standstill:
    """Looks at positions that have not moved for two request timeouts; a lagging one that still has
    not moved at the next look, one timeout later, never will.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        offsets: Offsets,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._offsets = offsets
        self._seconds = seconds
        self._timeout = settings.request_timeout_ms / 1000
        self._since: dict[tuple[Topic, int], tuple[int, float]] = {}
        self._behind: set[tuple[Topic, int, int]] = set()
        self._next_look = 0.0

    def check(self, topic: Topic, positions: Mapping[int, int]) -> None:
        """Raises LogUnavailable for a position that stands still below the last stable offset.

        Called often; asks the brokers only where nothing has moved for long.
        """
        now = self._seconds()
        late = []
        for partition, position in positions.items():
            known, since = self._since.get((topic, partition), (-1, now))
            if known != position:
                self._since[topic, partition] = (position, now)
            elif now - since > 2 * self._timeout:
                late.append(partition)
        if not late or now < self._next_look:
            return
        self._next_look = now + self._timeout
        try:
            ends = self._offsets.stable_ends(topic, late)
        except LogUnavailable as error:
            _log.warning("looking for what there is to read: %s", error)
            return
        behind = {(topic, each, positions[each]) for each in late if positions[each] < ends[each]}
        for _, partition, position in behind & self._behind:
            raise LogUnavailable(
                f"{self._settings.topic_name(topic)}/{partition}: reading has stood still at "
                f"{position} for {now - self._since[topic, partition][1]:.0f} s, though there are "
                f"records up to {ends[partition]}; a new client goes on from there"
            )
        self._behind = behind
