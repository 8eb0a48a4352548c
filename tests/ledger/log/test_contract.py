"""The contract of the log seam; it holds in memory and on Kafka alike."""

from __future__ import annotations

import pytest

from ledger.log.seam import CommitResult, Committed, MemberReplaced, Outgoing, Topic
from tests.ledger.log.worlds import PARTITIONS, World, await_owned, command, commit, event, read_all


def test_a_single_member_owns_every_partition(world: World) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [set(range(PARTITIONS))])
    assert log.source is Topic.COMMANDS
    assert log.partition_count == PARTITIONS


def test_published_records_are_read_back_as_they_were_sent(world: World) -> None:
    sent = Outgoing(
        topic=Topic.COMMANDS,
        partition=1,
        key=b"acc-1",
        value=b"\xc3\x01\x00",
        headers=(("ce_id", b"1"), ("ce_type", b"\xff")),
    )
    (published,) = world.tools.publish([sent])
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    (record,) = read_all(log, Topic.COMMANDS, 1)
    assert (record.partition, record.offset) == (published.partition, published.offset) == (1, 0)
    assert record.appended_at == published.appended_at > 0
    assert (record.key, record.value, record.headers) == (sent.key, sent.value, sent.headers)


def test_a_missing_key_or_value_stays_missing(world: World) -> None:
    world.tools.publish(
        [
            Outgoing(topic=Topic.COMMANDS, partition=0, key=None, value=b"v"),
            Outgoing(topic=Topic.COMMANDS, partition=0, key=b"k", value=None),
        ]
    )
    found = [(r.key, r.value) for r in world.tools.replay(Topic.COMMANDS)]
    assert found == [(None, b"v"), (b"k", None)]


def test_publishing_keeps_the_order_and_answers_for_each_record(world: World) -> None:
    sent = [command(b"%d" % i, partition=i % PARTITIONS) for i in range(600)]
    published = world.tools.publish(sent)
    assert [(p.partition, p.offset) for p in published] == [
        (i % PARTITIONS, i // PARTITIONS) for i in range(600)
    ]
    assert world.tools.end_offsets(Topic.COMMANDS) == (200, 200, 200)


def test_reading_follows_the_source_from_the_position_asked_for(world: World) -> None:
    world.tools.publish([command(b"%d" % i) for i in range(50)])
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    assert [r.offset for r in read_all(log, Topic.COMMANDS, 0, position=20)] == list(range(20, 50))
    assert [r.offset for r in read_all(log, Topic.COMMANDS, 0, position=48)] == [48, 49]
    assert [r.offset for r in read_all(log, Topic.COMMANDS, 0, position=0)] == list(range(50))


def test_the_source_can_be_read_before_its_partitions_are_held(world: World) -> None:
    world.tools.publish([command(b"%d" % i) for i in range(5)])
    log = world.consumer("decider", Topic.COMMANDS)
    assert [r.offset for r in read_all(log, Topic.COMMANDS, 0)] == [0, 1, 2, 3, 4]
    await_owned([log], [PARTITIONS])
    assert [r.offset for r in read_all(log, Topic.COMMANDS, 0)] == [0, 1, 2, 3, 4]


def test_no_more_records_come_than_were_asked_for(world: World) -> None:
    world.tools.publish([command(b"%d" % i) for i in range(10)])
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    offsets: list[int] = []
    position = 0
    for _ in range(100):
        batch = log.read(Topic.COMMANDS, 0, position, 3, 1.0)
        assert len(batch.records) <= 3
        offsets += [r.offset for r in batch.records]
        position = batch.next_position
        if position >= 10:
            break
    assert offsets == list(range(10))


def test_reading_at_the_end_finds_nothing_and_stays(world: World) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    batch = log.read(Topic.COMMANDS, 0, 0, 10, 0.0)
    assert (batch.records, batch.next_position) == ((), 0)


def test_nothing_is_committed_at_first(world: World) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    assert log.committed(0) is None
    assert world.tools.committed_offsets("decider", Topic.COMMANDS) == (None,) * PARTITIONS


def test_a_commit_writes_records_offset_and_metadata_together(world: World) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    assert commit(log, 0, [event(b"a"), event(b"b")], 7, "2:abc") is CommitResult.OK
    assert log.committed(0) == Committed(offset=7, metadata="2:abc")
    assert [r.value for r in read_all(log, Topic.EVENTS, 0)] == [b"a", b"b"]
    assert world.tools.committed_offsets("decider", Topic.COMMANDS) == (7, None, None)


def test_a_commit_may_span_topics_and_partitions(world: World) -> None:
    log = world.consumer("reactions", Topic.EVENTS)
    await_owned([log], [PARTITIONS])
    log.fence(1)
    dead = Outgoing(topic=Topic.DEAD_LETTERS, partition=1, key=None, value=b"dead")
    assert commit(log, 1, [command(b"x", partition=2), dead], 3, "") is CommitResult.OK
    assert [r.value for r in world.tools.replay(Topic.COMMANDS)] == [b"x"]
    assert [r.value for r in world.tools.replay(Topic.DEAD_LETTERS)] == [b"dead"]


def test_a_commit_of_an_offset_alone_writes_no_record(world: World) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(2)
    assert commit(log, 2, [], 5, "m") is CommitResult.OK
    assert log.committed(2) == Committed(offset=5, metadata="m")
    assert world.tools.end_offsets(Topic.EVENTS) == (0, 0, 0)


def test_several_partitions_may_be_committed_at_once_and_finished_in_any_order(
    world: World,
) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    for partition in range(PARTITIONS):
        log.fence(partition)
    for number in (1, 2):
        for partition in range(PARTITIONS):
            records = [event(b"%d" % number, partition=partition)]
            log.begin_commit(partition, records, number, f"{number}")
        for partition in reversed(range(PARTITIONS)):
            assert log.finish_commit(partition) is CommitResult.OK
    for partition in range(PARTITIONS):
        assert log.committed(partition) == Committed(offset=2, metadata="2")
        assert [r.value for r in read_all(log, Topic.EVENTS, partition)] == [b"1", b"2"]


def test_the_end_of_a_transaction_takes_an_offset(world: World) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    for value in (b"a", b"b"):
        assert commit(log, 0, [event(value)], 1, "") is CommitResult.OK
    world.settle(Topic.EVENTS, 0)
    assert log.high_watermark(Topic.EVENTS, 0) == 4
    assert [r.offset for r in read_all(log, Topic.EVENTS, 0)] == [0, 2]


def test_aborted_records_are_skipped_and_the_end_is_still_reached(world: World) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    commit(log, 0, [event(b"a")], 1, "")
    world.abort([event(b"never"), event(b"never")])
    world.settle(Topic.EVENTS, 0)
    assert log.high_watermark(Topic.EVENTS, 0) == 5
    assert [r.value for r in read_all(log, Topic.EVENTS, 0)] == [b"a"]
    assert [r.value for r in world.tools.replay(Topic.EVENTS)] == [b"a"]


def test_a_partition_must_be_fenced_before_a_commit(world: World) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    with pytest.raises(ValueError, match="before fence"):
        commit(log, 0, [event(b"a")], 1, "")


def test_a_record_for_a_partition_that_is_not_there_is_refused(world: World) -> None:
    log = world.consumer("decider", Topic.COMMANDS)
    await_owned([log], [PARTITIONS])
    log.fence(0)
    with pytest.raises(ValueError, match="no partition 3"):
        commit(log, 0, [event(b"a", partition=3)], 1, "")
    with pytest.raises(ValueError, match="no partition 3"):
        world.tools.publish([command(b"a", partition=3)])
    assert world.tools.end_offsets(Topic.EVENTS) == (0, 0, 0)


def test_a_later_owner_fences_the_earlier_one(world: World) -> None:
    old = world.consumer("decider", Topic.COMMANDS, "a")
    await_owned([old], [PARTITIONS])
    old.fence(0)
    assert commit(old, 0, [event(b"old")], 1, "1") is CommitResult.OK
    new = world.consumer("decider", Topic.COMMANDS, "b")
    new.fence(0)
    assert commit(old, 0, [event(b"zombie")], 2, "2") is CommitResult.FENCED
    assert new.committed(0) == Committed(offset=1, metadata="1")
    assert [r.value for r in read_all(new, Topic.EVENTS, 0)] == [b"old"]


def test_fencing_one_partition_leaves_the_others_alone(world: World) -> None:
    first = world.consumer("decider", Topic.COMMANDS, "a")
    await_owned([first], [PARTITIONS])
    first.fence(0)
    first.fence(1)
    second = world.consumer("decider", Topic.COMMANDS, "b")
    second.fence(0)
    assert commit(first, 1, [event(b"mine", partition=1)], 1, "") is CommitResult.OK


def test_groups_do_not_see_each_others_offsets_nor_fence_each_other(world: World) -> None:
    decider = world.consumer("decider", Topic.COMMANDS)
    watcher = world.consumer("watcher", Topic.COMMANDS)
    await_owned([decider, watcher], [PARTITIONS, PARTITIONS])
    decider.fence(0)
    watcher.fence(0)
    assert commit(decider, 0, [event(b"a")], 4, "") is CommitResult.OK
    assert watcher.committed(0) is None


def test_two_members_share_the_partitions_and_one_inherits(world: World) -> None:
    first = world.consumer("decider", Topic.COMMANDS, "a")
    await_owned([first], [PARTITIONS])
    for partition in range(PARTITIONS):
        first.fence(partition)
    second = world.consumer("decider", Topic.COMMANDS, "b")
    kept, moved = await_owned([first, second], [2, 1])
    assert kept | moved == set(range(PARTITIONS))
    for partition in moved:
        second.fence(partition)
        assert commit(first, partition, [], 1, "") is CommitResult.FENCED
        assert commit(second, partition, [], 1, "") is CommitResult.OK
    for partition in kept:
        assert commit(first, partition, [], 1, "") is CommitResult.OK
    second.close()
    await_owned([first], [PARTITIONS])


def test_a_member_whose_name_is_taken_over_is_told_so(world: World) -> None:
    first = world.consumer("decider", Topic.COMMANDS, "a")
    await_owned([first], [PARTITIONS])
    second = world.consumer("decider", Topic.COMMANDS, "a")
    with pytest.raises(MemberReplaced, match="a"):
        await_owned([second, first], [PARTITIONS, -1])


def test_a_replay_starts_where_it_is_told_and_ends_where_the_log_ended(world: World) -> None:
    world.tools.publish([command(b"%d" % i, partition=i % 2) for i in range(10)])
    replay = world.tools.replay(Topic.COMMANDS, [3, 4, 0])
    world.tools.publish([command(b"later")])
    assert sorted((r.partition, r.offset) for r in replay) == [(0, 3), (0, 4), (1, 4)]
