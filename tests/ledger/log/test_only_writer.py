"""The one writer under a name: all or nothing, and an earlier one of its name writes no more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.log.seam import LogUnavailable, MemberReplaced, Outgoing, Published, Topic
from tests.ledger.log.worlds import KafkaWorld, MemoryWorld, World, command


def noted(places: Sequence[Published]) -> list[Outgoing]:
    """A note of where each record came to stand."""
    return [
        Outgoing(
            topic=Topic.DEAD_LETTERS,
            partition=place.partition,
            key=None,
            value=b"%d:%d" % (place.partition, place.offset),
        )
        for place in places
    ]


def values(world: World, topic: Topic) -> list[bytes | None]:
    return [found.value for found in world.tools.replay(topic)]


def test_what_follows_knows_where_the_first_records_stand(world: World) -> None:
    world.tools.publish([command(b"before")])
    writer = world.only_writer("notes")
    places = writer.write([command(b"a"), command(b"b"), command(b"c", partition=2)], noted)
    assert [(place.partition, place.offset) for place in places] == [(0, 1), (0, 2), (2, 0)]
    assert values(world, Topic.COMMANDS) == [b"before", b"a", b"b", b"c"]
    assert values(world, Topic.DEAD_LETTERS) == [b"0:1", b"0:2", b"2:0"]
    found = {(each.partition, each.offset): each for each in world.tools.replay(Topic.COMMANDS)}
    assert [found[place.partition, place.offset].value for place in places] == [b"a", b"b", b"c"]


def test_it_may_write_again_and_again(world: World) -> None:
    writer = world.only_writer("notes")
    for number in range(3):
        writer.write([command(b"%d" % number)], noted)
    assert values(world, Topic.COMMANDS) == [b"0", b"1", b"2"]
    assert len(values(world, Topic.DEAD_LETTERS)) == 3


def test_one_whose_name_was_taken_over_writes_nothing(world: World) -> None:
    earlier = world.only_writer("notes")
    earlier.write([command(b"a")], noted)
    later = world.only_writer("notes")
    with pytest.raises(MemberReplaced, match="notes now"):
        earlier.write([command(b"b")], noted)
    later.write([command(b"c")], noted)
    assert values(world, Topic.COMMANDS) == [b"a", b"c"]
    assert len(values(world, Topic.DEAD_LETTERS)) == 2


def test_writers_of_two_names_do_not_hinder_each_other(world: World) -> None:
    one, other = world.only_writer("notes"), world.only_writer("others")
    one.write([command(b"a")], noted)
    other.write([command(b"b")], noted)
    one.write([command(b"c")], noted)
    assert values(world, Topic.COMMANDS) == [b"a", b"b", b"c"]


def test_what_breaks_between_the_two_halves_leaves_nothing(kafka_world: KafkaWorld) -> None:
    def broken(_: Sequence[Published]) -> list[Outgoing]:
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        kafka_world.only_writer("notes").write([command(b"a")], broken)
    later = kafka_world.only_writer("notes")
    later.await_settled(Topic.COMMANDS)
    later.write([command(b"b")], noted)
    assert values(kafka_world, Topic.COMMANDS) == [b"b"]


def test_a_replay_after_the_wait_shows_what_stands_behind_an_open_transaction(
    kafka_world: KafkaWorld,
) -> None:
    open_one = kafka_world.leave_open("another", [command(b"open")])
    kafka_world.only_writer("notes").write([command(b"behind it")], noted)
    assert values(kafka_world, Topic.COMMANDS) == []
    again = kafka_world.only_writer("notes")
    open_one.abort_transaction()
    again.await_settled(Topic.COMMANDS)
    assert values(kafka_world, Topic.COMMANDS) == [b"behind it"]
    open_one.close()


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_reply_is_never_taken_for_an_answer(*, applied: bool) -> None:
    world = MemoryWorld()
    world.tools.lose_next_reply(applied=applied)
    with pytest.raises(LogUnavailable, match="read in the log"):
        world.only_writer("notes").write([command(b"a")], noted)
    assert values(world, Topic.COMMANDS) == ([b"a"] if applied else [])
    assert len(values(world, Topic.DEAD_LETTERS)) == int(applied)
