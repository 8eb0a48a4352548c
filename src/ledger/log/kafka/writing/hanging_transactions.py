"""Ends transactions that the coordinator has decided but not finished.

If a broker is killed during a commit, its partitions have no leader at its next start until it has
joined the cluster again. Its coordinator takes them for deleted, writes no marker into them, and
marks the transaction as complete (Kafka 4.3.1: "these partitions are likely deleted already and
hence can be skipped"). For the coordinator it is over, so no fence ends it. But readers of
committed records stop before it for ever, and the group's offset stays unstable.

The decision is still in the coordinator's log. After a fence nobody else can write under earlier
epochs. So a transaction that is open under one of them is hanging, and gets the missing markers,
all with the same result, so that no outcome is incomplete.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain
from typing import Any

from kafka import IsolationLevel, KafkaConsumer, TopicPartition, errors
from kafka.admin import TransactionDescription, TransactionState
from kafka.protocol.producer.transaction import WriteTxnMarkersRequest
from msgspec import Struct

from ledger.log.kafka.client.connection import ask, ask_coordinator, close_producer, open_client
from ledger.log.kafka.client.settings import KafkaSettings, reader_options
from ledger.log.kafka.reading.offsets import ends_of
from ledger.log.kafka.reading.positions import position_of
from ledger.log.kafka.writing.transactional_producer import (
    connections_of,
    fenced_producer,
    identity_of,
)
from ledger.log.seam import LogUnavailable, Topic, WrongWorld

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
"""The start of a record's value in the coordinator's log, in all versions: version, producer id,
epoch, timeout, status."""
_RECENT_DECISIONS = 20_000
_LOOK_SECONDS = 5.0
_RETRY_SECONDS = 30.0
_END_SECONDS = 0.003
_OTHERS = 3
_OVER = {
    TransactionState.EMPTY,
    TransactionState.COMPLETE_COMMIT,
    TransactionState.COMPLETE_ABORT,
}
_log = logging.getLogger(__name__)


class Open(Struct, frozen=True, kw_only=True):
    """A producer's open transaction in one partition, with the offset of its first record."""

    place: TopicPartition
    producer_id: int
    epoch: int
    coordinator_epoch: int
    first_offset: int


class HangingTransactions:
    """Finds and ends hanging transactions, over an admin's connection."""

    def __init__(
        self,
        settings: KafkaSettings,
        admin: Any,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._settings = settings
        self._admin = admin
        self._seconds = seconds
        self._sleep = sleep
        self._next_look = 0.0
        self._since: dict[Open, float] = {}

    def end(self, transactional_id: str, producer_id: int, epoch: int | None) -> None:
        """End the hanging transactions of a producer that was fenced with this epoch. The epoch is
        None if the fence gave another producer id, so that nobody can write with this one.

        1. Find the open transactions with earlier epochs. One with this epoch or a later one is in
           use: the process that fenced may have been slow, and may have been fenced itself.
        2. Read the decision in the coordinator's log. 3. Write each missing marker with the epoch
           of its transaction: if the partition has a later epoch, the brokers refuse it.

        After a crash at any point the next fence reads the same decision and does the rest. Raises
        LogUnavailable, and WrongWorld if the brokers no longer have the decision.
        """
        hanging = [
            each
            for each in self._open()
            if each.producer_id == producer_id and (epoch is None or each.epoch < epoch)
        ]
        if not hanging:
            return
        committed = self._decision(transactional_id, producer_id)
        where = ", ".join(f"{each.place.topic}/{each.place.partition}" for each in hanging)
        if committed is None:
            raise WrongWorld(
                f"a transaction of {transactional_id} hangs in {where}, and the brokers no longer "
                "have its result; compare its records with a backup, end it with Kafka's "
                "kafka-transactions.sh abort, then start again"
            )
        for each in hanging:
            self._mark(each, committed=committed)
        _log.warning(
            "%s: the brokers had not finished a transaction in %s; %s it, as they had decided",
            transactional_id,
            where,
            "committed" if committed else "aborted",
        )

    def may_follow(self, transactional_id: str, producer: Any, used: set[Any]) -> bool:
        """Whether a producer may begin its next transaction after the last one has ended. Not if a
        connection that the last one used was replaced since, because then the last one may hang.
        """
        if used:
            self.await_end(transactional_id)
        return used <= connections_of(producer)

    def await_end(self, transactional_id: str) -> None:
        """Wait until the coordinator reports the id's last transaction as complete: its markers are
        written then, unless its broker has died since. Raises LogUnavailable.
        """
        give_up = self._seconds() + self._settings.transaction_timeout_ms / 1000
        while self._state(transactional_id) not in _OVER:
            if self._seconds() > give_up:
                raise LogUnavailable(
                    f"the last transaction of {transactional_id} does not end; check the brokers"
                )
            self._sleep(_END_SECONDS)

    def look(self, writers: Mapping[int, int], read: Collection[TopicPartition]) -> frozenset[int]:
        """Called regularly, between commits, with the producer id of each partition's writer.
        Returns the partitions whose transaction has been open too long; they must fence again.

        Hanging transactions of other producers in the partitions `read` are ended here, after a
        time in which their producers could have ended them. If this fails, it is tried again later.
        """
        now = self._seconds()
        if now < self._next_look:
            return frozenset()
        try:
            found = self._open()
        except LogUnavailable as error:
            _log.warning("searching for hanging transactions: %s", error)
            self._next_look = self._seconds() + _RETRY_SECONDS
            return frozenset()
        self._since = {each: self._since.get(each, now) for each in found}
        patience = self._settings.transaction_timeout_ms / 1000
        ages = {each: now - since for each, since in self._since.items()}
        late = {each.producer_id for each, age in ages.items() if age > patience}
        own = set(writers.values())
        for each, age in ages.items():
            if age > _OTHERS * patience and each.place in read and each.producer_id not in own:
                self._end_of_another(each)
        self._next_look = self._seconds() + _LOOK_SECONDS
        return frozenset(number for number, given in writers.items() if given in late)

    def _state(self, transactional_id: str) -> TransactionState:
        """The state at its coordinator; if the id has expired there, no transaction is running."""

        def described() -> TransactionState:
            try:
                found = self._admin.describe_transactions([transactional_id])
            except errors.TransactionalIdNotFoundError:
                return TransactionState.EMPTY
            description: TransactionDescription = found[transactional_id]
            return description.state

        what = f"the last transaction of {transactional_id}"
        return ask_coordinator(self._settings, what, self._admin, described)

    def _end_of_another(self, found: Open) -> None:
        """End another producer's hanging transaction, unless its coordinator still handles it."""
        try:
            transactional_id = self._over(found)
            if transactional_id is not None:
                producer_id, epoch = self._fence(transactional_id)
                same = producer_id == found.producer_id
                self.end(transactional_id, found.producer_id, epoch if same else None)
        except (LogUnavailable, WrongWorld) as error:
            _log.warning("hanging in %s/%d: %s", found.place.topic, found.place.partition, error)
            self._since[found] = self._seconds()

    def _over(self, found: Open) -> str | None:
        """The transactional id, if its coordinator reports the transaction as complete and it is
        still open. Checked in this order, because a coordinator writes the markers first.
        """
        listed = ask(
            self._settings,
            f"transactions of producer {found.producer_id}",
            lambda: self._admin.list_transactions(producer_id_filters=[found.producer_id]),
        )
        listing = next(chain.from_iterable(listed.values()), None)
        if listing is None:
            raise LogUnavailable(
                f"no coordinator knows producer {found.producer_id}, epoch {found.epoch}, whose "
                f"transaction is open from offset {found.first_offset} on; ask the owner of this "
                "producer whether it was to be committed"
            )
        if listing.state not in _OVER or found not in self._open():
            return None
        transactional_id: str = listing.transactional_id
        return transactional_id

    def _fence(self, transactional_id: str) -> tuple[int, int]:
        """Fence the id; returns its producer id and new epoch. An earlier producer gets an error at
        its next request.
        """
        producer = fenced_producer(self._settings, transactional_id)
        try:
            return identity_of(producer)
        finally:
            close_producer(producer)

    def _open(self) -> list[Open]:
        """All open transactions in the partitions that a writer can write to."""
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
        """The partitions whose last stable offset is before their end."""
        names = [*map(self._settings.topic_name, Topic), _OFFSETS]
        places = [
            TopicPartition(topic["name"], partition["partition_index"])
            for topic in self._described(names)
            for partition in topic["partitions"]
        ]
        stable = ends_of(self._settings, self._admin, places, IsolationLevel.READ_COMMITTED)
        end = ends_of(self._settings, self._admin, places, IsolationLevel.READ_UNCOMMITTED)
        return [place for place in places if stable[place] < end[place]]

    def _mark(self, hanging: Open, *, committed: bool) -> None:
        """Write the marker; the client's admin can do this only for an abort. A second marker of
        the same kind changes nothing.
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
        """Whether the id's last transaction was to be committed; None if it is not known.

        The coordinator's log is compacted, but its recent part is complete.
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
            for start in sorted({begin, max(begin, end - _RECENT_DECISIONS)}, reverse=True):
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
        """The partition of the coordinator's log with an id's decisions."""
        (described,) = self._described([_DECISIONS])
        number = _java_hash(transactional_id) % len(described["partitions"])
        return TopicPartition(_DECISIONS, number)

    def _described(self, topics: list[str]) -> list[dict[str, Any]]:
        """The topics. Raises LogUnavailable if one is not shown, except the offsets topic, which
        may not exist yet.
        """
        found: list[dict[str, Any]] = ask(
            self._settings, "topics", lambda: self._admin.describe_topics(topics)
        )
        for topic in found:
            if not topic["partitions"] and topic["name"] != _OFFSETS:
                reason = errors.for_code(topic["error_code"]).__name__
                raise LogUnavailable(
                    f"the brokers do not show {topic['name']}: {reason}; connect as a principal "
                    "that may read it, as the operator does"
                )
        return found

    def _records(
        self, consumer: Any, place: TopicPartition, start: int, end: int
    ) -> Iterator[tuple[bytes | None, bytes | None]]:
        """The keys and values between two offsets."""
        consumer.assign([place])
        consumer.seek(place, start)
        silent_until = self._seconds() + self._settings.request_timeout_ms / 1000
        while position_of(consumer, place, start) < end:
            polled = consumer.poll(timeout_ms=100).get(place, ())
            for record in polled:
                yield record.key, record.value
            if polled:
                silent_until = self._seconds() + self._settings.request_timeout_ms / 1000
            elif self._seconds() >= silent_until:
                raise LogUnavailable(f"{place.topic}/{place.partition} cannot be read")


def _java_hash(text: str) -> int:
    """The absolute value of Java's `String.hashCode`; 0 for the smallest integer, as in Kafka."""
    units = memoryview(text.encode("utf-16-le")).cast("H")
    number = 0
    for unit in units:
        number = (31 * number + unit) & 0xFFFFFFFF
    return min(number, 2**32 - number) % 2**31


def _decision_key(transactional_id: str) -> bytes:
    name = transactional_id.encode()
    return struct.pack(">hh", 0, len(name)) + name
