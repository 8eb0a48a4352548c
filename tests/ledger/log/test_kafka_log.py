"""What only the log on Kafka can get wrong: torn commits, zombies, hung calls, wrong worlds."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from msgspec.structs import replace

from ledger.log.kafka import KafkaLog, KafkaSettings, KafkaTools, create_topics, verify_world
from ledger.log.kafka.client.settings import MAX_RECORD_BYTES, admin_options, member_options
from ledger.log.kafka.client.watchdog import Watchdog
from ledger.log.seam import CommitResult, Committed, LogUnavailable, Topic, WrongWorld
from tests.ledger.log.worlds import (
    PARTITIONS,
    KafkaWorld,
    await_owned,
    command,
    commit,
    event,
    read_all,
)
from tests.waiting import wait_until

NOBODY = KafkaSettings(bootstrap="127.0.0.1:1", partition_count=1, connect_timeout_seconds=0.5)


def alter(world: KafkaWorld, topic: Topic, setting: str, value: str) -> None:
    """Set a topic's setting, and wait until the broker that is asked knows of it."""
    admin = KafkaAdminClient(**admin_options(world.settings))
    name = world.settings.topic_name(topic)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {setting: value})])
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    for _ in range(1000):
        found = admin.describe_configs([resource], config_filter="all")["topic"][name]
        if found[setting]["value"] == value:
            break
    else:
        raise AssertionError(f"{name}: {setting} stays {found[setting]['value']}")
    admin.close()


def test_a_record_the_broker_refuses_leaves_nothing_of_its_transaction(
    kafka_world: KafkaWorld,
) -> None:
    alter(kafka_world, Topic.EVENTS, "max.message.bytes", "1000")
    log = kafka_world.consumer("decider", Topic.COMMANDS, "a")
    await_owned([log], [PARTITIONS])
    log.fence(0)
    records = [command(b"follow-up"), event(b"x" * 5000)]
    assert commit(log, 0, records, 1, "1") is CommitResult.UNKNOWN
    successor = kafka_world.consumer("decider", Topic.COMMANDS, "b")
    successor.fence(0)
    assert successor.committed(0) is None
    assert list(kafka_world.tools.replay(Topic.COMMANDS)) == []
    assert list(kafka_world.tools.replay(Topic.EVENTS)) == []


def test_what_a_dead_owner_left_open_is_aborted_by_the_fence_and_read_past(
    kafka_world: KafkaWorld,
) -> None:
    log = kafka_world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    assert commit(log, 0, [event(b"a")], 1, "1:a") is CommitResult.OK
    dead = kafka_world.leave_open("decider-0", [event(b"never"), event(b"never")])
    assert log.high_watermark(Topic.EVENTS, 0) == 4
    assert [r.value for r in kafka_world.tools.replay(Topic.EVENTS)] == [b"a"]
    log.fence(0)
    assert log.committed(0) == Committed(offset=1, metadata="1:a")
    assert [r.value for r in read_all(log, Topic.EVENTS, 0)] == [b"a"]
    assert commit(log, 0, [event(b"b")], 2, "2:b") is CommitResult.OK
    dead.close(timeout=1)


def test_offset_metadata_outlives_the_process_that_wrote_it(kafka_world: KafkaWorld) -> None:
    text = f"9007199254740993:{'f' * 64}"
    first = kafka_world.consumer("decider", Topic.COMMANDS)
    await_owned([first], [PARTITIONS])
    first.fence(2)
    assert commit(first, 2, [event(b"a", partition=2)], 3, text) is CommitResult.OK
    first.close()
    second = kafka_world.consumer("decider", Topic.COMMANDS)
    second.fence(2)
    assert second.committed(2) == Committed(offset=3, metadata=text)


def test_after_a_slow_commit_the_producer_is_replaced(kafka_world: KafkaWorld) -> None:
    log = kafka_world.consumer("decider", Topic.COMMANDS, slow_commit_seconds=0)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    epochs = []
    for number in range(3):
        assert commit(log, 0, [event(b"%d" % number)], number + 1, "") is CommitResult.OK
        epochs.append(_epoch(kafka_world, "decider-0"))
    assert epochs == [epochs[0], epochs[0] + 1, epochs[0] + 2]
    assert [r.value for r in read_all(log, Topic.EVENTS, 0)] == [b"0", b"1", b"2"]


def test_the_successor_of_a_retired_producer_writes_nothing_once_another_has_taken_over(
    kafka_world: KafkaWorld,
) -> None:
    zombie = kafka_world.consumer("decider", Topic.COMMANDS, slow_commit_seconds=0)
    await_owned([zombie], [PARTITIONS])
    zombie.fence(0)
    assert commit(zombie, 0, [event(b"zombie")], 1, "1:z") is CommitResult.OK
    # One that took over, as the group does not know yet: to it the zombie is still the owner.
    owner = kafka_world.leave_open("decider-0", [event(b"owner")])
    place = TopicPartition(kafka_world.settings.topic_name(Topic.COMMANDS), 0)
    group = kafka_world.settings.group_name("decider")
    owner.send_offsets_to_transaction({place: OffsetAndMetadata(2, "2:o", -1)}, group)
    owner.commit_transaction()
    owner.close()
    assert commit(zombie, 0, [event(b"late")], 2, "2:l") is CommitResult.FENCED
    assert [r.value for r in kafka_world.tools.replay(Topic.EVENTS)] == [b"zombie", b"owner"]
    assert zombie.committed(0) == Committed(offset=2, metadata="2:o")


def test_a_partition_whose_holder_dies_while_letting_it_go_finds_another(
    kafka_world: KafkaWorld,
) -> None:
    options = member_options(kafka_world.settings, "decider", "a")
    dying = KafkaConsumer(**{**options, "auto_offset_reset": "earliest"})
    assert len(dying.partitions_for_topic(kafka_world.settings.topic_name(Topic.COMMANDS))) == 3
    dying.subscribe([kafka_world.settings.topic_name(Topic.COMMANDS)])
    wait_until(lambda: _held_after_a_step(dying) == PARTITIONS, "the first member to have it all")
    joining = _stopped_between_the_rounds(kafka_world, dying)
    assert len(dying.assignment()) == PARTITIONS - 1
    successor = kafka_world.consumer("decider", Topic.COMMANDS, "a")
    kept, moved = await_owned([successor, joining], [2, 1])
    assert kept | moved == set(range(PARTITIONS))
    dying.close()


def _stopped_between_the_rounds(world: KafkaWorld, first: KafkaConsumer) -> KafkaLog:
    """A second member that has not yet got what the first one let go. On a loaded machine both
    rounds can be over within a step: then it leaves, and joins again.
    """
    while True:
        joining = world.consumer("decider", Topic.COMMANDS, "b")
        with ThreadPoolExecutor(1) as pool:
            between_the_rounds = threading.Event()
            joined = pool.submit(_held_before, joining, between_the_rounds)
            try:
                wait_until(lambda: _held_after_a_step(first) < PARTITIONS, "the first round")
            finally:
                between_the_rounds.set()
        if not joined.result():
            return joining
        joining.close()
        wait_until(lambda: _held_after_a_step(first) == PARTITIONS, "the first to have it again")


def _held_before(member: KafkaLog, stop: threading.Event) -> frozenset[int]:
    """What a member holds when it is told to stop, or as soon as it holds anything."""
    held: frozenset[int] = frozenset()
    while not (held or stop.is_set()):
        held = member.owned(0.1)
    return held


def _held_after_a_step(member: KafkaConsumer) -> int:
    """A short one, so that a move can be stopped between its two rounds."""
    member.poll(timeout_ms=10)
    return len(member.assignment())


def test_a_full_buffer_holds_the_partition_back_and_loses_nothing(kafka_world: KafkaWorld) -> None:
    kafka_world.tools.publish([command(b"%d" % i, i % PARTITIONS) for i in range(900)])
    log = kafka_world.consumer("decider", Topic.COMMANDS, max_buffered_records=20)
    await_owned([log], [PARTITIONS])
    positions = dict.fromkeys(range(PARTITIONS), 0)
    offsets: dict[int, list[int]] = {p: [] for p in positions}
    for _ in range(1000):
        for partition in log.owned(0.1):
            batch = log.read(Topic.COMMANDS, partition, positions[partition], 7, 0.0)
            offsets[partition] += [r.offset for r in batch.records]
            positions[partition] = batch.next_position
        if all(position == 300 for position in positions.values()):
            break
    assert all(found == list(range(300)) for found in offsets.values())


def test_more_is_published_than_may_be_in_flight_at_once(kafka_world: KafkaWorld) -> None:
    published = kafka_world.tools.publish([command(b"%d" % i) for i in range(12_000)])
    assert [p.offset for p in published] == list(range(12_000))
    assert [r.value for r in kafka_world.tools.replay(Topic.COMMANDS)] == [
        b"%d" % i for i in range(12_000)
    ]


def test_an_oversized_record_is_refused_before_anything_is_sent(kafka_world: KafkaWorld) -> None:
    with pytest.raises(ValueError, match="the limit is 1000000"):
        kafka_world.tools.publish([command(b"a"), command(b"x" * (MAX_RECORD_BYTES + 1))])
    assert kafka_world.tools.end_offsets(Topic.COMMANDS) == (0, 0, 0)
    kafka_world.tools.publish([command(b"x" * (MAX_RECORD_BYTES - 3))])


def test_making_the_topics_again_changes_nothing(kafka_world: KafkaWorld) -> None:
    assert create_topics(kafka_world.settings) == kafka_world.topic_ids
    assert verify_world(kafka_world.settings, kafka_world.topic_ids) == kafka_world.topic_ids


def test_making_them_again_unpacks_the_commands_of_an_earlier_version(
    kafka_world: KafkaWorld,
) -> None:
    alter(kafka_world, Topic.COMMANDS, "compression.type", "producer")
    with pytest.raises(WrongWorld, match=r"compression.type is producer, must be uncompressed"):
        verify_world(kafka_world.settings)
    assert create_topics(kafka_world.settings) == kafka_world.topic_ids


@pytest.mark.parametrize(
    ("setting", "wrong", "right"),
    [
        ("retention.ms", "604800000", "-1"),
        ("retention.bytes", "1000000", "-1"),
        ("cleanup.policy", "compact", "delete"),
        ("min.insync.replicas", "2", "1"),
        ("message.timestamp.type", "CreateTime", "LogAppendTime"),
        ("unclean.leader.election.enable", "true", "false"),
    ],
)
def test_a_topic_with_another_setting_is_refused(
    kafka_world: KafkaWorld, setting: str, wrong: str, right: str
) -> None:
    alter(kafka_world, Topic.EVENTS, setting, wrong)
    name = kafka_world.settings.topic_name(Topic.EVENTS)
    with pytest.raises(WrongWorld) as refused:
        verify_world(kafka_world.settings)
    assert str(refused.value) == f"topic {name}: {setting} is {wrong}, must be {right}"


def test_another_partition_count_is_refused(kafka_world: KafkaWorld) -> None:
    other = replace(kafka_world.settings, partition_count=PARTITIONS + 1)
    with pytest.raises(WrongWorld, match=r"partitions is 3, must be 4") as refused:
        verify_world(other)
    assert str(refused.value).count("partitions is 3") == len(Topic)


def test_a_topic_made_anew_is_refused(kafka_world: KafkaWorld) -> None:
    known = {**kafka_world.topic_ids, Topic.EVENTS: uuid4()}
    with pytest.raises(WrongWorld, match=r"refunds\.events\.v1: topic id is .*, must be"):
        verify_world(kafka_world.settings, known)


def test_a_missing_topic_is_refused_by_name(kafka_world: KafkaWorld) -> None:
    elsewhere = replace(kafka_world.settings, prefix="nowhere.", connect_timeout_seconds=1.0)
    with pytest.raises(WrongWorld, match=r"has no topic nowhere\.refunds\.commands\.v1"):
        verify_world(elsewhere)
    with pytest.raises(LogUnavailable, match=r"has no topic nowhere\.refunds\.commands\.v1"):
        KafkaLog(elsewhere, "decider", Topic.COMMANDS, "only")


def test_where_no_broker_answers_the_error_says_what_to_do() -> None:
    said = (
        r"no Kafka broker answers at 127\.0\.0\.1:1 within 0\.5 s; "
        r"start one with 'refundctl up' or set KAFKA_BOOTSTRAP"
    )
    with pytest.raises(LogUnavailable, match=said):
        create_topics(NOBODY)
    with pytest.raises(LogUnavailable, match=said):
        KafkaTools(NOBODY).publish([command(b"a")])
    with pytest.raises(LogUnavailable, match=said):
        KafkaLog(NOBODY, "decider", Topic.COMMANDS, "only")


def test_an_address_without_a_port_is_refused() -> None:
    with pytest.raises(LogUnavailable, match="KAFKA_BOOTSTRAP has 'localhost'; write host:port"):
        create_topics(KafkaSettings(bootstrap="localhost", partition_count=1))


def test_times_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="is not in that order"):
        KafkaSettings(bootstrap="b", partition_count=1, transaction_timeout_ms=60_000)


def test_the_watchdog_names_the_call_that_hangs() -> None:
    hung: list[str] = []
    bitten = threading.Event()

    def action(what: str) -> None:
        hung.append(what)
        bitten.set()

    watchdog = Watchdog(0.05, action)
    with watchdog.guard("commit of decider-0 at 7"):
        assert bitten.wait(30)
    watchdog.close()
    assert hung == ["commit of decider-0 at 7"]


def _epoch(world: KafkaWorld, transactional_id: str) -> int:
    admin = KafkaAdminClient(**admin_options(world.settings))
    name = world.settings.prefix + transactional_id
    epoch: int = admin.describe_transactions([name])[name].producer_epoch
    admin.close()
    return epoch


def test_a_coordinator_that_has_moved_is_found_again(kafka_world: KafkaWorld) -> None:
    log = kafka_world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    assert commit(log, 0, [event(b"a")], 1, "1:a") is CommitResult.OK
    assert kafka_world.tools.committed_offsets("decider", Topic.COMMANDS) == (1, None, None)
    admin = kafka_world.tools._offset_reads().admin
    remembered = admin._manager.cluster._coordinators
    assert remembered
    remembered.update(dict.fromkeys(remembered, 99))
    assert kafka_world.tools.committed_offsets("decider", Topic.COMMANDS) == (1, None, None)


def test_reading_without_a_timeout_sends_nothing_for_a_partition_that_has_no_records(
    kafka_world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = kafka_world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    polls: list[int] = []
    poll = KafkaConsumer.poll

    def counted(self: KafkaConsumer, *given: Any, **named: Any) -> Any:
        polls.append(1)
        return poll(self, *given, **named)

    monkeypatch.setattr(KafkaConsumer, "poll", counted)
    for partition in range(PARTITIONS):
        assert log.read(Topic.COMMANDS, partition, 0, 10, 0.0).records == ()
    assert polls == []
    log.owned(0.0)
    assert polls


def test_a_transaction_larger_than_a_batch_keeps_its_order(kafka_world: KafkaWorld) -> None:
    log = kafka_world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    values = [b"%d" % number + b"x" * 400_000 for number in range(7)]
    for number in (1, 2):
        assert commit(log, 0, [event(each) for each in values], number, "") is CommitResult.OK
    assert [r.value for r in read_all(log, Topic.EVENTS, 0)] == [*values, *values]


def test_a_connection_lost_between_two_commits_replaces_the_producer(
    kafka_world: KafkaWorld,
) -> None:
    log = kafka_world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    assert commit(log, 0, [event(b"a")], 1, "1:a") is CommitResult.OK
    before = _epoch(kafka_world, "decider-0")
    _lose_connections(log)
    assert commit(log, 0, [event(b"b")], 2, "2:b") is CommitResult.OK
    assert _epoch(kafka_world, "decider-0") == before + 1
    assert [r.value for r in read_all(log, Topic.EVENTS, 0)] == [b"a", b"b"]


def test_a_connection_lost_as_a_transaction_begins_replaces_the_producer(
    kafka_world: KafkaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = kafka_world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    assert commit(log, 0, [event(b"a")], 1, "1:a") is CommitResult.OK
    before = _epoch(kafka_world, "decider-0")
    requests = _requests(log)
    find = requests._client._find_coordinator_id

    async def cut(key: str, kind: Any) -> Any:
        monkeypatch.undo()
        for connection in list(requests.connections()):
            connection.close()
        requests._cluster._coordinators.pop((kind, key))
        return await find(key, kind)

    monkeypatch.setattr(requests._client, "_find_coordinator_id", cut)
    assert commit(log, 0, [event(b"b")], 2, "2:b") is CommitResult.OK
    assert _epoch(kafka_world, "decider-0") == before + 1
    assert [r.value for r in read_all(log, Topic.EVENTS, 0)] == [b"a", b"b"]


def _lose_connections(log: KafkaLog) -> None:
    async def close() -> None:
        for connection in list(_requests(log).connections()):
            connection.close()

    _requests(log).start(close()).result(10)


def _requests(log: KafkaLog) -> Any:
    assert log._requests is not None
    return log._requests
