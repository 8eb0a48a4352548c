"""One member of a consumer group: its partitions, and the records fetched from them.

The rebalance listener runs on the client's own thread and must not block: it only notes what
changed, and seeks and pauses new partitions so that nothing is fetched before the handler has
restored its state and asks for a position.
"""

from __future__ import annotations

import time
from typing import Any

from kafka import ConsumerRebalanceListener, TopicPartition, errors
from kafka.structs import MemberState

from ledger.log.kafka.client.connection import ask
from ledger.log.kafka.client.fetched_batches import open_consumer
from ledger.log.kafka.client.records import Fetched
from ledger.log.kafka.client.settings import KafkaSettings, member_options
from ledger.log.kafka.reading.positions import position_of
from ledger.log.seam import Batch, Committed, LogUnavailable, MemberReplaced, Topic

_SLICE_SECONDS = 0.1
_STAY_SECONDS = 1.0


class Membership:
    """A static member of `group` on the topic `source`."""

    def __init__(self, settings: KafkaSettings, group: str, source: Topic, member_id: str) -> None:
        self._settings = settings
        self._group = group
        self._member_id = member_id
        self._topic = settings.topic_name(source)
        options = member_options(settings, group, member_id)
        self._consumer: Any = open_consumer(settings, options)
        self._listener = _Listener(self._consumer)
        self._fetched: dict[int, Fetched] = {}
        self._held_back: set[int] = set()
        self._polled_at = 0.0
        self._subscribe()

    def poll(self, timeout_seconds: float) -> tuple[frozenset[int], frozenset[int]]:
        """Take part in rebalances, and fetch. Returns the partitions held during the whole poll,
        and those lost during it.

        Returns when there are records, when the assignment has changed, or after the timeout.
        """
        before = self.assigned()
        deadline = time.monotonic() + timeout_seconds
        while True:
            left = max(0.0, deadline - time.monotonic())
            waiting = any(self._fetched.values())
            self._fetch(0.0 if waiting else min(left, _SLICE_SECONDS))
            news = self.assigned() != before or self._listener.lost
            if news or waiting or left == 0.0 or any(self._fetched.values()):
                break
        lost = frozenset(self._listener.lost)
        self._listener.lost -= lost
        for partition in lost:
            self._fetched.pop(partition, None)
            self._held_back.discard(partition)
        return self.assigned() - lost, lost

    def assigned(self) -> frozenset[int]:
        """The partitions held now."""
        return frozenset(place.partition for place in self._consumer.assignment())

    def read(
        self, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """Up to `max_records` of a held partition from `position` on. Without a timeout it returns
        what the last poll fetched: a poll for each of many partitions would cost more than their
        records.
        """
        fetched = self._fetched.get(partition)
        if fetched is None or fetched.position != position:
            fetched = self._fetched[partition] = Fetched(position)
            self._consumer.seek(self._place(partition), position)
            self._let_go_on(partition)
        deadline = time.monotonic() + timeout_seconds
        while not fetched and self._position(partition) == position:
            left = deadline - time.monotonic()
            if left <= 0.0:
                break
            self._fetch(min(left, _SLICE_SECONDS))
            if partition not in self.assigned():
                break
        batch = fetched.take(max_records, self._position(partition))
        if partition in self._held_back and len(fetched) < self._settings.max_buffered_records // 2:
            self._let_go_on(partition)
        return batch

    def fetching(self) -> dict[int, int]:
        """The fetch positions of the held partitions that are being read."""
        reading = self._fetched.keys() - self._held_back
        found = {number: self._position(number) for number in reading}
        return {number: position for number, position in found.items() if position >= 0}

    def committed(self, partition: int) -> Committed | None:
        """The group's offset; waits until an open transaction that changes it has ended."""
        found = ask(
            self._settings,
            f"committed offset of {self._group} on {self._topic}/{partition}",
            lambda: self._consumer.committed(
                self._place(partition),
                metadata=True,
                timeout_ms=self._settings.transaction_timeout_ms,
            ),
        )
        if found is None or found.offset < 0:
            return None
        return Committed(offset=found.offset, metadata=found.metadata or "")

    def identity(self) -> Any:
        """The group metadata of a transaction; with it brokers refuse a stale member."""
        return self._consumer.group_metadata()

    def settled(self) -> bool:
        """Whether this member has joined and no rebalance is running."""
        return bool(self.identity().state == MemberState.STABLE)

    def ask_for_new_round(self) -> None:
        """Join again at the next poll, so that the group rebalances."""
        self._consumer._coordinator.request_rejoin()

    def stay(self) -> None:
        """Take part in rebalances between long reads, so that the group does not wait."""
        if self.assigned() and time.monotonic() - self._polled_at > _STAY_SECONDS:
            self._fetch(0.0)

    def close(self) -> str:
        """Stop; returns the broker's id of this member. The static name is still in use."""
        broker_id: str = self.identity().member_id
        self._consumer.close(autocommit=False, timeout_ms=self._settings.request_timeout_ms)
        return broker_id

    def _subscribe(self) -> None:
        """First load the topic's metadata: a group leader that joins without it assigns nothing,
        and does not always notice when the metadata arrives.
        """
        self._consumer.subscribe([self._topic], listener=self._listener)
        deadline = time.monotonic() + self._settings.connect_timeout_seconds
        while not self._consumer.partitions_for_topic(self._topic):
            if time.monotonic() >= deadline:
                self._consumer.close(autocommit=False)
                raise LogUnavailable(
                    f"{self._settings.bootstrap} has no topic {self._topic}; "
                    "create it with 'refundctl up'"
                )
            time.sleep(_SLICE_SECONDS)

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._topic, partition)

    def _position(self, partition: int) -> int:
        """The position; -1 if the partition is lost, which the client's thread can notice at any
        time.
        """
        return position_of(self._consumer, self._place(partition), -1)

    def _fetch(self, timeout_seconds: float) -> None:
        """Poll. If this started a rebalance, continue until it is finished: a commit during it can
        have the identity of the old generation and be refused.
        """
        self._poll_once(timeout_seconds)
        deadline = time.monotonic() + self._settings.session_timeout_ms / 1000
        while self.assigned() and not self.settled() and time.monotonic() < deadline:
            self._poll_once(_SLICE_SECONDS)
        self._polled_at = time.monotonic()

    def _poll_once(self, timeout_seconds: float) -> None:
        try:
            polled = self._consumer.poll(timeout_ms=int(timeout_seconds * 1000))
        except errors.FencedInstanceIdError as error:
            raise self._replaced() from error
        except errors.KafkaError as error:
            raise LogUnavailable(f"reading {self._topic} as {self._group}: {error!r}") from error
        self._check_not_replaced()
        for place, records in polled.items():
            fetched = self._fetched.get(place.partition)
            if fetched is None:
                continue
            fetched.add(records)
            if len(fetched) >= self._settings.max_buffered_records:
                self._consumer.pause(place)
                self._held_back.add(place.partition)

    def _let_go_on(self, partition: int) -> None:
        self._consumer.resume(self._place(partition))
        self._held_back.discard(partition)

    def _check_not_replaced(self) -> None:
        """Raises MemberReplaced if the heartbeat has stopped: the client stops it without an error
        when another process has joined under the same name.
        """
        coordinator = self._consumer._coordinator
        if coordinator.stable() and not coordinator._heartbeat_enabled:
            raise self._replaced()

    def _replaced(self) -> MemberReplaced:
        return MemberReplaced(
            f"group {self._group}: another process joined as member {self._member_id}; "
            "let this process end, or give each process its own member id"
        )


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the client asks for a subclass
    """Records assignment changes, on the client's thread."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self.lost: set[int] = set()

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Pause a new partition until the handler gives a position."""
        for place in assigned:
            self._consumer.seek(place, 0)
            self._consumer.pause(place)

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Called when partitions are released or were lost."""
        self.lost |= {place.partition for place in revoked}
