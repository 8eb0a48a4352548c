"""Transactions that hang are ended: by whoever fences, by an idle owner, and for others.

A broker that is killed in the middle of a commit leaves one behind only now and then, so here they
are made: a producer goes on writing after its transaction has ended, to a broker that for once does
not ask its coordinator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.protocol.producer import TxnOffsetCommitRequest

from ledger.log.kafka import KafkaLog, KafkaSettings
from ledger.log.kafka.client.records import send_all
from ledger.log.kafka.client.settings import admin_options, transactional_options
from ledger.log.kafka.reading.offsets import Offsets
from ledger.log.kafka.writing.hanging_transactions import HangingTransactions, _java_hash
from ledger.log.kafka.writing.transaction import Run
from ledger.log.seam import CommitResult, Committed, Outgoing, Topic, WrongWorld
from tests.ledger.log.worlds import (
    PARTITIONS,
    KafkaWorld,
    await_owned,
    command,
    commit,
    event,
    read_all,
)

SHORT: dict[str, int] = {"request_timeout_ms": 500, "transaction_timeout_ms": 1_000}
_VERIFICATION = "transaction.partition.verification.enable"


@pytest.fixture
def trusting(kafka_world: KafkaWorld) -> Iterator[KafkaWorld]:
    """A world whose broker takes what is written without asking for the transaction."""
    with _verification(kafka_world.settings, "false"):
        yield kafka_world


@contextmanager
def _verification(settings: KafkaSettings, value: str) -> Iterator[None]:
    """Set on every broker, and known there."""
    admin = KafkaAdminClient(**admin_options(settings))
    brokers = [str(broker["broker_id"]) for broker in admin.describe_cluster()["brokers"]]

    def resources(configs: object) -> list[ConfigResource]:
        return [ConfigResource(ConfigResourceType.BROKER, name, configs) for name in brokers]

    def known(name: str) -> bool:
        found = admin.describe_configs(resources(None), config_filter="all")["broker"][name]
        return bool(found[_VERIFICATION]["value"] == value)

    try:
        admin.alter_configs(resources({_VERIFICATION: value}))
        for _ in range(1000):
            if all(map(known, brokers)):
                break
        yield
    finally:
        admin.reset_configs(resources([_VERIFICATION]))
        admin.close()


def hang(world: KafkaWorld, producer: Any, records: Sequence[Outgoing]) -> None:
    """Write more under a transaction that is over."""
    producer.begin_transaction()
    places = {TopicPartition(world.settings.topic_name(r.topic), r.partition) for r in records}
    producer._transaction_manager._partitions_in_transaction.update(places)
    futures = send_all(producer, world.settings, records)
    producer.flush()
    for future in futures:
        future.get(timeout=0)


def hang_own(log: KafkaLog, record: Outgoing) -> None:
    """Write a second record under the last transaction of partition 0, which is over."""
    requests, place = log._requests, TopicPartition(log._settings.topic_name(record.topic), 0)
    assert requests is not None
    late = Run(place=place, records=[record], sequence=1)
    requests.start(requests.produce(log._writers[0]._producer.identity, late)).result(10)


def hang_offset(world: KafkaWorld, producer: Any, group: str, offset: int) -> None:
    """Give an offset of the commands' partition 0 to a transaction that is over."""
    name, manager = world.settings.group_name(group), producer._transaction_manager
    part = TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic
    request = TxnOffsetCommitRequest(
        max_version=4,  # from 5 on the broker itself adds the offsets to a transaction
        transactional_id=manager.transactional_id,
        group_id=name,
        producer_id=manager.producer_id_and_epoch.producer_id,
        producer_epoch=manager.producer_id_and_epoch.epoch,
        generation_id=-1,
        member_id="",
        group_instance_id=None,
        topics=[
            part(
                name=world.settings.topic_name(Topic.COMMANDS),
                partitions=[
                    part.TxnOffsetCommitRequestPartition(
                        partition_index=0,
                        committed_offset=offset,
                        committed_leader_epoch=-1,
                        committed_metadata="1:a",
                    )
                ],
            )
        ],
    )
    admin = KafkaAdminClient(**admin_options(world.settings))

    async def send() -> Any:
        coordinator = await admin._find_coordinator_id(name)
        return await admin._manager.send(request, node_id=coordinator)

    answer = admin._manager.run(send)
    assert [p.error_code for t in answer.topics for p in t.partitions] == [0]
    admin.close()


def ended(world: KafkaWorld, name: str, last: Outgoing, *, committed: bool) -> Any:
    """A producer whose last transaction ended so."""
    options = transactional_options(world.settings, world.settings.prefix + name)
    producer: Any = KafkaProducer(**options)
    producer.init_transactions()
    producer.begin_transaction()
    send_all(producer, world.settings, [last])
    producer.flush()
    if committed:
        producer.commit_transaction()
    else:
        producer.abort_transaction()
    _await_marker(world, last)
    return producer


def _await_marker(world: KafkaWorld, last: Outgoing) -> None:
    """A commit or an abort is answered before its markers are written."""
    offsets = Offsets(world.settings)
    place = (last.topic, [last.partition])
    for _ in range(1000):
        if offsets.stable_ends(*place)[last.partition] == offsets.ends(*place)[last.partition]:
            break
    else:
        raise AssertionError(f"the transaction in {last.topic}/{last.partition} has not ended")
    offsets.close()


def values(log: KafkaLog, topic: Topic) -> list[bytes | None]:
    return [record.value for record in read_all(log, topic, 0)]


@pytest.mark.parametrize("committed", [True, False])
def test_a_fence_ends_what_hangs_as_it_was_decided(trusting: KafkaWorld, committed: bool) -> None:
    dead = ended(trusting, "decider-0", event(b"a"), committed=committed)
    hang(trusting, dead, [event(b"b"), event(b"c")])
    dead.close()
    log = trusting.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    assert values(log, Topic.EVENTS) == ([b"a", b"b", b"c"] if committed else [])
    assert commit(log, 0, [event(b"d")], 1, "1:d") is CommitResult.OK
    assert values(log, Topic.EVENTS)[-1] == b"d"


@pytest.mark.parametrize("committed", [True, False])
def test_an_offset_that_hangs_is_stable_after_the_fence(
    trusting: KafkaWorld, committed: bool
) -> None:
    log = trusting.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    dead = ended(trusting, "decider-0", event(b"a"), committed=committed)
    hang_offset(trusting, dead, "decider", 7)
    dead.close()
    log.fence(0)
    assert log.committed(0) == (Committed(offset=7, metadata="1:a") if committed else None)


def test_what_an_earlier_fence_found_and_did_not_end_is_ended_by_the_next(
    trusting: KafkaWorld,
) -> None:
    dead = ended(trusting, "decider-0", event(b"a"), committed=True)
    hang(trusting, dead, [event(b"b")])
    dead.init_transactions()  # a fence that died before it could look
    dead.close()
    log = trusting.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    assert values(log, Topic.EVENTS) == [b"a", b"b"]


def test_a_transaction_under_way_is_left_alone(kafka_world: KafkaWorld) -> None:
    busy = kafka_world.leave_open("upstream", [command(b"busy", partition=1)])
    log = kafka_world.consumer("decider", Topic.COMMANDS, "only", **SHORT)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    for _ in range(80):
        assert log.owned(0.1) == frozenset(range(PARTITIONS))
    busy.commit_transaction()
    busy.close()
    assert [record.value for record in read_all(log, Topic.COMMANDS, 1)] == [b"busy"]


def test_an_idle_owner_notices_that_its_last_transaction_hangs(trusting: KafkaWorld) -> None:
    log = trusting.consumer("decider", Topic.COMMANDS, "only", **SHORT)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    assert commit(log, 0, [event(b"a")], 1, "1:a") is CommitResult.OK
    _await_marker(trusting, event(b"a"))
    hang_own(log, event(b"b"))
    for _ in range(300):
        if 0 not in log.owned(0.1):
            break
    else:
        raise AssertionError("the owner never noticed")
    assert commit(log, 0, [event(b"c")], 2, "2:c") is CommitResult.FENCED
    log.fence(0)
    assert values(log, Topic.EVENTS) == [b"a", b"b"]


def test_what_others_left_hanging_in_the_source_is_ended_for_them(trusting: KafkaWorld) -> None:
    upstream = ended(trusting, "upstream", command(b"a"), committed=True)
    hang(trusting, upstream, [command(b"b")])
    upstream.close()
    log = trusting.consumer("decider", Topic.COMMANDS, "only", **SHORT)
    await_owned([log], [PARTITIONS])
    found: list[bytes | None] = []
    for _ in range(300):
        log.owned(0.1)
        batch = log.read(Topic.COMMANDS, 0, 0, 10, 0.0)
        found = [record.value for record in batch.records]
        if len(found) == 2:
            break
    assert found == [b"a", b"b"]


def test_who_was_slow_after_its_fence_leaves_its_successor_alone(
    trusting: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = ended(trusting, "decider-0", event(b"a"), committed=True)
    hang(trusting, dead, [event(b"b")])
    dead.close()
    slow = trusting.consumer("decider", Topic.COMMANDS, "slow")
    look = HangingTransactions._open
    successors: list[Any] = []

    def late(self: HangingTransactions) -> Any:
        if not successors:  # meanwhile another has fenced, ended what hung, and writes
            successors.append(None)
            trusting.consumer("decider", Topic.COMMANDS, "successor").fence(0)
            successors.append(trusting.leave_open("decider-0", [event(b"alive"), event(b"c")]))
        return look(self)

    monkeypatch.setattr(HangingTransactions, "_open", late)
    slow.fence(0)
    assert [record.value for record in trusting.tools.replay(Topic.EVENTS)] == [b"a", b"b"]
    alive = successors[1]
    alive.commit_transaction()
    alive.close()
    assert values(slow, Topic.EVENTS) == [b"a", b"b", b"alive", b"c"]


def test_an_end_that_nobody_remembers_is_not_guessed(
    trusting: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = ended(trusting, "decider-0", event(b"a"), committed=True)
    hang(trusting, dead, [event(b"b")])
    dead.close()
    monkeypatch.setattr(HangingTransactions, "_decision", lambda *_: None)
    log = trusting.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    with pytest.raises(WrongWorld, match=r"decider-0 hangs in .*events\.v1/0, .*transactions\.sh"):
        log.fence(0)


def test_the_coordinators_partition_is_found_as_java_finds_it() -> None:
    assert [_java_hash(text) for text in ("", "hello", "polygenelubricants")] == [0, 99162322, 0]
    assert _java_hash("zzzzzz") == 685785664  # Java: -685785664
    assert _java_hash("zahlung-ä😀") == 2107012323  # Java: -2107012323
