"""Ends transactions that the brokers have decided and never ended.

A broker killed in the middle of a commit finds, at its next start, its partitions without a leader
until it is let back into the cluster. Its coordinator takes them for deleted, writes no marker in
any of them, and calls the transaction complete (Kafka 4.3.1: "these partitions are likely deleted
already and hence can be skipped"). To the coordinator it is over, so no fence ends it; but readers
of committed records stop before it for ever, and the group's offset is never stable again.

What was decided still stands in the coordinator's own log. Whoever has just fenced is alone with
its producer id, so what is open under it then hangs, and gets the markers that it was promised: all
of them by the one decision, so that no outcome is torn.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain
from typing import Any

from kafka import (
    IsolationLevel,
    KafkaConsumer,
    KafkaProducer,
    OffsetSpec,
    TopicPartition,
    errors,
)
from kafka.admin import TransactionState
from kafka.protocol.producer.transaction import WriteTxnMarkersRequest
from msgspec import Struct

from ledger.kafka_log.connection import ask, close_producer, open_client
from ledger.kafka_log.positions import position_of
from ledger.kafka_log.settings import KafkaSettings, reader_options, transactional_options
from ledger.log import LogUnavailable, Topic, WrongWorld

_OFFSETS = "__consumer_offsets"
_DECISIONS = "__transaction_state"
_PREPARED_COMMIT, _PREPARED_ABORT, _COMMITTED, _ABORTED, _FENCED = 2, 3, 4, 5, 7
_OUTCOMES = {
    _PREPARED_COMMIT: True,
    _COMMITTED: True,
    _PREPARED_ABORT: False,
    _ABORTED: False,
    _FENCED: False,
}
_DECISION = struct.Struct(">hqhib")
"""Of a record's value in the coordinator's log: version, producer id, epoch, timeout, status. All
versions begin so."""
_RECENT_DECISIONS = 20_000
_LOOK_SECONDS = 5.0
_OTHERS = 3
_OVER = {
    TransactionState.EMPTY,
    TransactionState.COMPLETE_COMMIT,
    TransactionState.COMPLETE_ABORT,
}
_log = logging.getLogger(__name__)


class Open(Struct, frozen=True, kw_only=True):
    """What a producer has open in one partition, from the offset of its first record."""

    place: TopicPartition
    producer_id: int
    epoch: int
    coordinator_epoch: int
    first_offset: int


class HangingTransactions:
    """Finds and ends them, over an admin's connection."""

    def __init__(
        self,
        settings: KafkaSettings,
        admin: Any,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._admin = admin
        self._seconds = seconds
        self._next_look = 0.0
        self._since: dict[Open, float] = {}

    def end(self, transactional_id: str, producer_id: int) -> None:
        """End what hangs under the id of a producer that has just fenced and written nothing yet.

        Raises LogUnavailable, and WrongWorld where the brokers no longer know what was decided.
        """
        hanging = [each for each in self._open() if each.producer_id == producer_id]
        if not hanging:
            return
        committed = self._decision(transactional_id, producer_id)
        where = ", ".join(f"{each.place.topic}/{each.place.partition}" for each in hanging)
        if committed is None:
            raise WrongWorld(
                f"a transaction of {transactional_id} hangs in {where}, and the brokers no longer "
                "know how it was to end; compare what it wrote with a backup, end it with Kafka's "
                "kafka-transactions.sh abort, then start again"
            )
        for each in hanging:
            self._mark(each, committed=committed)
        _log.warning(
            "%s: the brokers had forgotten to end a transaction in %s; %s it, as they had decided",
            transactional_id,
            where,
            "committed" if committed else "aborted",
        )

    def look(self, writers: Mapping[int, int], read: Collection[TopicPartition]) -> frozenset[int]:
        """Now and then, between commits: of the partitions given with their writers' producer ids,
        those whose transaction has been open for longer than one may be. They have to fence again.

        What others have left hanging in the partitions `read` is ended here, after a while in which
        they could have done so themselves. Raises as `end` does.
        """
        now = self._seconds()
        if now < self._next_look:
            return frozenset()
        self._next_look = now + _LOOK_SECONDS
        try:
            found = self._open()
        except LogUnavailable as error:
            _log.warning("looking for hanging transactions: %s", error)
            return frozenset()
        self._since = {each: self._since.get(each, now) for each in found}
        patience = self._settings.transaction_timeout_ms / 1000
        ages = {each: now - since for each, since in self._since.items()}
        late = {each.producer_id for each, age in ages.items() if age > patience}
        others = {
            each.producer_id
            for each, age in ages.items()
            if age > _OTHERS * patience and each.place in read
        }
        for producer_id in sorted(others.difference(writers.values())):
            self._end_of_another(producer_id)
        return frozenset(number for number, given in writers.items() if given in late)

    def _end_of_another(self, producer_id: int) -> None:
        """End what another producer left hanging; what its coordinator knows of, that one ends."""
        listed = ask(
            self._settings,
            f"transactions of producer {producer_id}",
            lambda: self._admin.list_transactions(producer_id_filters=[producer_id]),
        )
        for listing in chain.from_iterable(listed.values()):
            if listing.state in _OVER:
                self._fence(listing.transactional_id)
                self.end(listing.transactional_id, producer_id)
            return
        _log.warning(
            "producer %d has a transaction open that no coordinator knows; end it with Kafka's "
            "kafka-transactions.sh abort",
            producer_id,
        )

    def _fence(self, transactional_id: str) -> None:
        """Be alone with the id. Whoever still writes under it learns that with its next request."""
        options = transactional_options(self._settings, transactional_id)
        producer: Any = open_client(KafkaProducer, self._settings, options)
        try:
            producer.init_transactions()
        except errors.KafkaError as error:
            raise LogUnavailable(f"fence of {transactional_id}: {error!r}") from error
        finally:
            close_producer(producer)

    def _open(self) -> list[Open]:
        """All that is open in whatever partition a writer can write to."""
        places = self._unstable()
        if not places:
            return []
        found: Mapping[TopicPartition, Any] = ask(
            self._settings,
            "open transactions",
            lambda: self._admin.describe_producers(places),
        )
        return [
            Open(
                place=place,
                producer_id=producer.producer_id,
                epoch=producer.producer_epoch,
                coordinator_epoch=producer.coordinator_epoch,
                first_offset=producer.current_transaction_start_offset,
            )
            for place, state in found.items()
            for producer in state.active_producers
            if producer.current_transaction_start_offset >= 0
        ]

    def _unstable(self) -> list[TopicPartition]:
        """The partitions whose last stable offset is not their end."""
        names = [*map(self._settings.topic_name, Topic), _OFFSETS]
        specs = {
            TopicPartition(topic["name"], partition["partition_index"]): OffsetSpec.LATEST
            for topic in self._described(names)
            for partition in topic["partitions"]
        }

        def ends(isolation: IsolationLevel) -> Mapping[TopicPartition, Any]:
            found: Mapping[TopicPartition, Any] = ask(
                self._settings,
                "ends of topics",
                lambda: self._admin.list_partition_offsets(specs, isolation_level=isolation),
            )
            return found

        stable = ends(IsolationLevel.READ_COMMITTED)
        end = ends(IsolationLevel.READ_UNCOMMITTED)
        return [place for place in specs if stable[place].offset < end[place].offset]

    def _mark(self, hanging: Open, *, committed: bool) -> None:
        """Write the marker, which the client's admin can do only for an abort. A second one of the
        same kind changes nothing.
        """
        marker = WriteTxnMarkersRequest.WritableTxnMarker
        request = WriteTxnMarkersRequest(
            markers=[
                marker(
                    producer_id=hanging.producer_id,
                    producer_epoch=hanging.epoch,
                    transaction_result=committed,
                    topics=[
                        marker.WritableTxnMarkerTopic(
                            name=hanging.place.topic,
                            partition_indexes=[hanging.place.partition],
                        )
                    ],
                    coordinator_epoch=max(0, hanging.coordinator_epoch),
                )
            ]
        )

        async def send() -> None:
            (leader,) = await self._admin._async_get_leader_for_partitions([hanging.place])
            response = await self._admin._manager.send(request, node_id=leader)
            for each in response.markers:
                for topic in each.topics:
                    for partition in topic.partitions:
                        if partition.error_code:
                            raise errors.for_code(partition.error_code)

        what = f"the end of a transaction in {hanging.place.topic}/{hanging.place.partition}"
        ask(self._settings, what, lambda: self._admin._manager.run(send))

    def _decision(self, transactional_id: str, producer_id: int) -> bool | None:
        """Whether the last transaction under the id was to be committed; None if nobody knows.

        The coordinator's log is compacted, but what is recent stands in it whole.
        """
        consumer: Any = open_client(
            KafkaConsumer,
            self._settings,
            {**reader_options(self._settings), "isolation_level": "read_uncommitted"},
        )
        try:
            place = self._decided_in(transactional_id)
            begin = consumer.beginning_offsets([place])[place]
            end = consumer.end_offsets([place])[place]
            for start in (max(begin, end - _RECENT_DECISIONS), begin):
                outcome = None
                for key, value in self._records(consumer, place, start, end):
                    if key == _decision_key(transactional_id) and value is not None:
                        _, decided_for, _, _, status = _DECISION.unpack_from(value)
                        if decided_for == producer_id:
                            outcome = _OUTCOMES.get(status, outcome)
                if outcome is not None:
                    return outcome
            return None
        except errors.KafkaError as error:
            raise LogUnavailable(f"reading {_DECISIONS}: {error!r}") from error
        finally:
            consumer.close(autocommit=False)

    def _decided_in(self, transactional_id: str) -> TopicPartition:
        """Where the coordinator keeps an id's decisions."""
        described = self._described([_DECISIONS])
        count = sum(len(topic["partitions"]) for topic in described)
        if not count:
            raise LogUnavailable(
                f"the brokers do not show {_DECISIONS}; they may still be starting"
            )
        return TopicPartition(_DECISIONS, _java_hash(transactional_id) % count)

    def _described(self, topics: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(
            self._settings, "topics", lambda: self._admin.describe_topics(topics)
        )
        return found

    def _records(
        self, consumer: Any, place: TopicPartition, start: int, end: int
    ) -> Iterator[tuple[bytes | None, bytes | None]]:
        """Keys and values from one offset to another."""
        consumer.assign([place])
        consumer.seek(place, start)
        silent_until = self._seconds() + self._settings.request_timeout_ms / 1000
        while position_of(consumer, place) < end:
            polled = consumer.poll(timeout_ms=100).get(place, ())
            for record in polled:
                yield record.key, record.value
            if polled:
                silent_until = self._seconds() + self._settings.request_timeout_ms / 1000
            elif self._seconds() >= silent_until:
                raise LogUnavailable(f"{place.topic}/{place.partition} cannot be read")


def _java_hash(text: str) -> int:
    """The size of Java's `String.hashCode`, of ASCII; of the one without, nothing."""
    number = 0
    for unit in text.encode("ascii"):
        number = (31 * number + unit) & 0xFFFFFFFF
    return min(number, 2**32 - number) % 2**31


def _decision_key(transactional_id: str) -> bytes:
    name = transactional_id.encode()
    return struct.pack(">hh", 0, len(name)) + name
