"""The log on Kafka for one consumer: group membership, writers and a reader."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from kafka import TopicPartition, errors
from kafka.admin import MemberToRemove

from ledger.log.kafka.client.connection import forget_coordinators
from ledger.log.kafka.client.records import check_outgoing
from ledger.log.kafka.client.settings import KafkaSettings
from ledger.log.kafka.client.watchdog import Watchdog, end_process
from ledger.log.kafka.reading.membership import Membership
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.kafka.reading.partition_reader import PartitionReader
from ledger.log.kafka.reading.positions import Standstill
from ledger.log.kafka.reading.unowned_partitions import UnownedPartitions
from ledger.log.kafka.writing.broker_requests import BrokerRequests
from ledger.log.kafka.writing.hanging_transactions import HangingTransactions
from ledger.log.kafka.writing.transactional_writer import TransactionalWriter
from ledger.log.seam import Batch, CommitResult, Committed, MemberReplaced, Outgoing, Topic

_log = logging.getLogger(__name__)


class KafkaLog:
    """A static member `member_id` of `group` on `source`; satisfies `ledger.log.seam.Log`.

    It connects when it is constructed, and joins the group in the first `owned`. For one thread.
    Raises LogUnavailable if brokers do not answer, MemberReplaced if another process has joined
    under the same name. `on_hang` ends the process, except in tests.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        source: Topic,
        member_id: str,
        on_hang: Callable[[str], None] = end_process,
    ) -> None:
        self._settings = settings
        self._group = group
        self._source = source
        self._member_id = member_id
        self._membership = Membership(settings, group, source, member_id)
        self._offsets = Offsets(settings)
        self._orphans = UnownedPartitions(settings, group, source, self._offsets.admin)
        self._standstill = Standstill(settings, self._offsets)
        self._hanging = HangingTransactions(settings, self._offsets.admin)
        self._watchdog = Watchdog(settings.watchdog_seconds, on_hang)
        self._reader: PartitionReader | None = None
        self._requests: BrokerRequests | None = None
        self._writers: dict[int, TransactionalWriter] = {}
        self._lost: set[int] = set()
        self._replaced = False

    @property
    def source(self) -> Topic:
        """The topic this consumer reads and whose offsets it commits."""
        return self._source

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        return self._settings.partition_count

    def owned(self, timeout_seconds: float) -> frozenset[int]:
        """The partitions held. A partition that was lost and assigned again is left out once, so
        that its handler restarts it. One whose last transaction hangs is left out too, so that it
        is fenced again.
        """
        try:
            held, lost = self._membership.poll(timeout_seconds)
        except MemberReplaced:
            self._replaced = True
            raise
        for partition in lost:
            self._drop_writer(partition)
        self._standstill.check(self._source, self._membership.fetching())
        less_than_all = len(held | lost) < self.partition_count
        if less_than_all and self._membership.settled() and self._orphans.found():
            self._membership.ask_for_new_round()
        stuck = self._hanging.look(
            {number: writer.producer_id for number, writer in self._writers.items()},
            [self._place(number) for number in held],
        )
        for partition in stuck:
            self._drop_writer(partition)
        return held - stuck

    def fence(self, partition: int) -> None:
        """Begin a new epoch of the partition's transactional id; brokers refuse earlier ones."""
        self._check_partition(self._source, partition)
        self._drop_writer(partition)
        if self._requests is None:
            self._requests = BrokerRequests(self._settings)
        self._writers[partition] = TransactionalWriter(
            self._settings,
            self._group,
            self._place(partition),
            self._requests,
            lambda: self.committed(partition),
            self._hanging,
            self._watchdog.guard,
        )
        self._lost.discard(partition)

    def committed(self, partition: int) -> Committed | None:
        """The group's stable offset and its metadata."""
        return self._membership.committed(partition)

    def high_watermark(self, topic: Topic, partition: int) -> int:
        """The offset after the last record, open transactions included."""
        self._check_partition(topic, partition)
        return self._offsets.ends(topic, [partition])[partition]

    def read(
        self, topic: Topic, partition: int, position: int, max_records: int, timeout_seconds: float
    ) -> Batch:
        """Read a held source partition with the group's consumer, others with another consumer."""
        self._check_partition(topic, partition)
        if topic is self._source and partition in self._membership.assigned():
            return self._membership.read(partition, position, max_records, timeout_seconds)
        self._membership.stay()
        if self._reader is None:
            self._reader = PartitionReader(self._settings, self._offsets)
        return self._reader.read(topic, partition, position, max_records, timeout_seconds)

    def begin_commit(
        self, partition: int, records: Sequence[Outgoing], next_offset: int, metadata: str
    ) -> None:
        """In one transaction; see `ledger.log.kafka.writing.transactional_writer`."""
        if partition in self._lost:
            return
        writer = self._writers.get(partition)
        if writer is None:
            raise ValueError(f"{self._source}/{partition}: commit before fence")
        check_outgoing(self._settings, records)
        writer.begin(records, next_offset, metadata, self._membership.identity())

    def finish_commit(self, partition: int) -> CommitResult:
        """FENCED for a partition that was lost."""
        if partition in self._lost:
            return CommitResult.FENCED
        return self._writers[partition].finish()

    def close(self) -> None:
        """Leave the group, so that other members get the partitions at once, and disconnect."""
        self._writers.clear()
        with self._watchdog.guard(f"close of {self._group}"):
            broker_id = self._membership.close()
            if broker_id and not self._replaced:
                self._leave(broker_id)
            for opened in (self._reader, self._requests):
                if opened is not None:
                    opened.close()
            self._offsets.close()
        self._watchdog.close()

    def _leave(self, broker_id: str) -> None:
        """Release the static name; the brokers check that this member still has it."""
        member = MemberToRemove(member_id=broker_id, group_instance_id=self._member_id)
        admin = self._offsets.admin
        forget_coordinators(admin)
        try:
            admin.remove_group_members(self._settings.group_name(self._group), [member])
        except errors.KafkaError as error:
            _log.warning("leaving group %s: %r", self._group, error)

    def _drop_writer(self, partition: int) -> None:
        if self._writers.pop(partition, None) is not None:
            self._lost.add(partition)

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._settings.topic_name(self._source), partition)

    def _check_partition(self, topic: Topic, partition: int) -> None:
        last = self.partition_count - 1
        if not 0 <= partition <= last:
            raise ValueError(f"{topic}: no partition {partition}; it has 0..{last}")
