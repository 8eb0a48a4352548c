"""Sends the requests of transactions to real brokers, over connections that all producers share."""

from __future__ import annotations

import time
from collections.abc import Collection, Coroutine, Mapping, Set
from concurrent.futures import Future
from typing import Any, TypeVar

from kafka import KafkaAdminClient, OffsetAndMetadata, TopicPartition, errors
from kafka.protocol.metadata import CoordinatorType
from kafka.protocol.producer import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
    ProduceRequest,
    TxnOffsetCommitRequest,
)
from kafka.record.memory_records import MemoryRecordsBuilder

from ledger.log.kafka.client.connection import open_client
from ledger.log.kafka.client.settings import KafkaSettings, writer_options
from ledger.log.kafka.writing.transaction import Identity, Reconnected, Run
from ledger.log.seam import Topic

T = TypeVar("T")
_FORMAT, _UNCOMPRESSED, _NO_LIMIT = 2, 0, 2**31 - 1
_LOST = (errors.KafkaConnectionError, errors.RequestTimedOutError, errors.NodeNotReadyError)
_OVER = (errors.IllegalGenerationError, errors.UnknownMemberIdError)


class BrokerRequests:
    """Satisfies `ledger.log.kafka.writing.transaction.Requests`; connected when constructed.

    The versions of the requests are those before the protocol's second version (KIP-890), which the
    client library cannot speak. For any thread.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: Any = open_client(KafkaAdminClient, settings, writer_options(settings))
        self._manager = self._client._manager
        self._cluster = self._manager.cluster
        self._cluster.set_topics([settings.topic_name(topic) for topic in Topic])

    async def init_producer(self, transactional_id: str) -> Identity:
        """InitProducerId."""
        answer = await self._coordinated(
            CoordinatorType.TRANSACTION,
            transactional_id,
            InitProducerIdRequest(
                transactional_id=transactional_id,
                transaction_timeout_ms=self._settings.transaction_timeout_ms,
                producer_id=-1,
                producer_epoch=-1,
                max_version=4,
            ),
            lambda answer: [answer.error_code],
        )
        return Identity(
            transactional_id=transactional_id,
            producer_id=answer.producer_id,
            epoch=answer.producer_epoch,
        )

    async def add_partitions(
        self, producer: Identity, places: Collection[TopicPartition], used: Set[object]
    ) -> None:
        """AddPartitionsToTxn."""
        topic = AddPartitionsToTxnRequest.AddPartitionsToTxnTopic
        by_topic: dict[str, list[int]] = {}
        for place in places:
            by_topic.setdefault(place.topic, []).append(place.partition)
        await self._coordinated(
            CoordinatorType.TRANSACTION,
            producer.transactional_id,
            AddPartitionsToTxnRequest(
                v3_and_below_transactional_id=producer.transactional_id,
                v3_and_below_producer_id=producer.producer_id,
                v3_and_below_producer_epoch=producer.epoch,
                v3_and_below_topics=[
                    topic(name=name, partitions=numbers) for name, numbers in by_topic.items()
                ],
                max_version=3,
            ),
            lambda answer: [
                code
                for _, partitions in answer.results_by_topic_v3_and_below
                for _, code in partitions
            ],
            used,
        )

    async def add_offsets(
        self, producer: Identity, group: str, used: Set[object] = frozenset()
    ) -> None:
        """AddOffsetsToTxn."""
        await self._coordinated(
            CoordinatorType.TRANSACTION,
            producer.transactional_id,
            AddOffsetsToTxnRequest(
                transactional_id=producer.transactional_id,
                producer_id=producer.producer_id,
                producer_epoch=producer.epoch,
                group_id=group,
                max_version=3,
            ),
            lambda answer: [answer.error_code],
            used,
        )

    async def produce(self, producer: Identity, run: Run) -> None:
        """Produce, to the leader of the partition; acknowledged by all replicas in sync."""
        leader = self._cluster.leader_for_partition(run.place)
        if leader is None or leader == -1:
            await self._cluster.request_update()
            raise errors.LeaderNotAvailableError(f"{run.place.topic}/{run.place.partition}")
        data = ProduceRequest.TopicProduceData
        partition = data.PartitionProduceData(
            index=run.place.partition, records=_batch(producer, run)
        )
        try:
            answer = await self._manager.send(
                ProduceRequest(
                    transactional_id=producer.transactional_id,
                    acks=-1,
                    timeout_ms=self._settings.request_timeout_ms,
                    topic_data=[data(name=run.place.topic, partition_data=[partition])],
                    min_version=3,
                    max_version=9,
                ),
                node_id=leader,
            )
            _check(each.error_code for t in answer.responses for each in t.partition_responses)
        except errors.DuplicateSequenceNumberError:  # it was written before its answer was lost
            return
        except errors.InvalidMetadataError:
            self._cluster.request_update()
            raise

    async def commit_offsets(
        self,
        producer: Identity,
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        membership: Any,
    ) -> None:
        """TxnOffsetCommit; with the member's generation, which the group's coordinator compares."""
        topic = TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic
        try:
            await self._coordinated(
                CoordinatorType.GROUP,
                membership.group_id,
                TxnOffsetCommitRequest(
                    transactional_id=producer.transactional_id,
                    group_id=membership.group_id,
                    producer_id=producer.producer_id,
                    producer_epoch=producer.epoch,
                    generation_id=membership.generation_id,
                    member_id=membership.member_id,
                    group_instance_id=membership.group_instance_id,
                    topics=[
                        topic(
                            name=place.topic,
                            partitions=[
                                topic.TxnOffsetCommitRequestPartition(
                                    partition_index=place.partition,
                                    committed_offset=offset.offset,
                                    committed_leader_epoch=offset.leader_epoch,
                                    committed_metadata=offset.metadata,
                                )
                            ],
                        )
                        for place, offset in offsets.items()
                    ],
                    min_version=3,
                    max_version=3,
                ),
                lambda answer: [code for _, partitions in answer.topics for _, code in partitions],
            )
        except _OVER as error:
            raise errors.CommitFailedError(str(error)) from error

    async def end(self, producer: Identity) -> None:
        """EndTxn."""
        await self._coordinated(
            CoordinatorType.TRANSACTION,
            producer.transactional_id,
            EndTxnRequest(
                transactional_id=producer.transactional_id,
                producer_id=producer.producer_id,
                producer_epoch=producer.epoch,
                committed=True,
                max_version=3,
            ),
            lambda answer: [answer.error_code],
        )

    async def pause(self, seconds: float) -> None:
        """On the network thread, which does other work meanwhile."""
        await self._manager._net.sleep(seconds)

    def seconds(self) -> float:
        """The clock of the process."""
        return time.monotonic()

    def connections(self) -> set[object]:
        """The connections of all producers of this process."""
        return set(self._manager._conns.values())

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """On the client's network thread."""
        done: Future[T] = Future()

        async def run() -> None:
            try:
                done.set_result(await work)
            except BaseException as error:  # whoever waits gets it, whatever it is
                done.set_exception(error)

        self._manager._net.call_soon_threadsafe(run)
        return done

    def close(self) -> None:
        """Close the connections; a transaction that is open stays open."""
        self._client.close()

    async def _coordinated(
        self, kind: Any, key: str, request: Any, codes: Any, used: Set[object] = frozenset()
    ) -> Any:
        """Ask the coordinator of a transactional id or a group. Who it is was asked once for all;
        after an error it is asked again. Nothing comes between the look at the connections and the
        choice of one.
        """
        try:
            node = await self._client._find_coordinator_id(key, kind)
            if not used <= self.connections():
                raise Reconnected("a broker's connection was replaced")
            answer = await self._manager.send(request, node_id=node)
            _check(codes(answer))
        except (*_LOST, errors.NotCoordinatorError, errors.CoordinatorNotAvailableError):
            self._cluster._coordinators.pop((kind, key), None)
            raise
        return answer


def _check(codes: Any) -> None:
    for code in codes:
        if code:
            raise errors.for_code(code)


def _batch(producer: Identity, run: Run) -> Any:
    builder = MemoryRecordsBuilder(_FORMAT, _UNCOMPRESSED, _NO_LIMIT)
    for record in run.records:
        builder.append(None, record.key, record.value, record.headers)
    builder.set_producer_state(producer.producer_id, producer.epoch, run.sequence, True)
    builder.close()
    return builder.buffer()
