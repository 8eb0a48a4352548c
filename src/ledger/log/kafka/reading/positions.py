"""Reads a consumer's position, and detects that it does not advance although there are more
records.

After the loss of a broker the client can wait for ever for its answer to a position request or a
fetch, and meanwhile it does not ask another broker.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from kafka import TopicPartition
from msgspec import Struct, field

from ledger.log.kafka.client.settings import KafkaSettings
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.seam import LogUnavailable, Topic

_log = logging.getLogger(__name__)


def position_of(consumer: Any, place: TopicPartition, otherwise: int) -> int:
    """The offset of the next record that a consumer will return, from its own state; `otherwise` if
    the partition is not assigned or has no position yet.

    The client's `position` can send a request, and wait without end for a lost broker.
    """
    state = consumer._subscription.assignment.get(place)
    position = None if state is None else state.position
    offset: int = otherwise if position is None else position.offset
    return offset


class Standstill:
    """Checks positions that have not advanced for two request timeouts. One that is behind and has
    not advanced at the next check, one timeout later, never will. For one consumer.
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
        self._watches: dict[Topic, _Watch] = {}

    def check(self, topic: Topic, positions: Mapping[int, int]) -> None:
        """Raises LogUnavailable for a position that does not advance below the last stable offset.

        Called often; sends a request only for positions that have not advanced for a long time.
        After a time without calls it starts again, because a caller that did not poll did not wait.
        For positions that advance only when records are returned, call it after a poll without
        records.
        """
        now = self._seconds()
        watch = self._watches.setdefault(topic, _Watch())
        if now - watch.called > self._timeout:
            watch.since.clear()
            watch.behind.clear()
        watch.called = now
        late = []
        for partition, position in positions.items():
            known, since = watch.since.get(partition, (-1, now))
            if known != position:
                watch.since[partition] = (position, now)
            elif now - since > 2 * self._timeout:
                late.append(partition)
        if not late or now < watch.next_look:
            return
        watch.next_look = now + self._timeout
        try:
            ends = self._offsets.stable_ends(topic, late)
        except LogUnavailable as error:
            _log.warning("reading the end offsets: %s", error)
            return
        behind = {each: positions[each] for each in late if positions[each] < ends[each]}
        for partition, position in behind.items():
            if watch.behind.get(partition) == position:
                raise LogUnavailable(
                    f"{self._settings.topic_name(topic)}/{partition}: reading has stopped at "
                    f"{position} for {now - watch.since[partition][1]:.0f} s, although there are "
                    f"records up to {ends[partition]}; a new client continues from there"
                )
        watch.behind = behind


class _Watch(Struct, kw_only=True):
    """By partition of a topic: the position, since when, and the positions that were behind."""

    since: dict[int, tuple[int, float]] = field(default_factory=dict)
    behind: dict[int, int] = field(default_factory=dict)
    called: float = 0.0
    next_look: float = 0.0
