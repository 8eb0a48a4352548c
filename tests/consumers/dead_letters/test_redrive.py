"""Dead letters are given back or closed once, whoever tries twice and whatever dies in between."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from consumers.dead_letters.redrive import TOGETHER_LETTERS, WRITER, Order, resolve
from consumers.dead_letters.set_aside import dead_letter
from consumers.dead_letters.status import letter_of, letter_statuses, settled_letter_statuses
from ledger.log.memory import MemoryCluster
from ledger.log.seam import LogRecord, LogUnavailable, MemberReplaced, Outgoing, Topic
from ledger.values.ids import partition_of
from ledger.wire.avro.codec import Unreadable, UnreadableRecord
from ledger.wire.dead_letters.closing import Resolution, Resolved, read_resolution
from ledger.wire.dead_letters.headers import Place
from ledger.wire.dead_letters.letter import ERRORS, Letter, read_letter
from tests.consumers.deciding.test_decider import drained
from tests.consumers.ledgers import START, Bench, opening, record, standing

AGAIN = Order(kind=Resolved.REDRIVEN, actor="ops-1", reason="a fixed release")
NEVER = Order(kind=Resolved.DISCARDED, actor="ops-1", reason="a load test")
HEADERS = (("traceparent", b"00-1"), ("ce_id", b"s-1"))


def bench_with_letters(count: int = 1) -> Bench:
    """An account, then so many records that a version with another partitioner set aside."""
    bench = Bench()
    decider = bench.decider()
    bench.publish(record(opening()))
    drained(decider)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("consumers.deciding.recording.partition_of", lambda *_: 1)
        made = [record(standing(number)) for number in range(1, count + 1)]
        bench.publish(*(replace(each, headers=HEADERS) for each in made))
        drained(decider)
    return bench


def done(bench: Bench, order: Order, *names: Place) -> list[Resolution]:
    """What a command does: become the only writer, look, resolve what is open."""
    writer = bench.cluster.only_writer(WRITER)
    found = settled_letter_statuses(bench.cluster, writer)
    chosen = [each for source, each in found.items() if not names or source in names]
    still_open = [each for each in chosen if each.resolution is None]
    return list(resolve(bench.cluster, writer, still_open, order))


def causes(bench: Bench) -> list[str]:
    return [cause for _, cause in bench.outcomes()]


def test_a_redriven_record_comes_back_as_it_was_and_is_judged() -> None:
    bench = bench_with_letters()
    (resolution,) = done(bench, AGAIN)
    drained(bench.decider())
    original, copy = bench.records(Topic.COMMANDS)[1:]
    assert resolution.copy == Place(partition=0, offset=copy.offset)
    assert (copy.key, copy.value, copy.headers) == (original.key, original.value, original.headers)
    assert causes(bench) == ["open", "s-1"]


def test_redriving_twice_gives_it_back_once() -> None:
    bench = bench_with_letters()
    assert len(done(bench, AGAIN)) == 1
    assert done(bench, AGAIN) == []
    drained(bench.decider())
    assert causes(bench) == ["open", "s-1"]
    assert len(bench.records(Topic.COMMANDS)) == 3


@pytest.mark.parametrize("applied", [True, False])
def test_killed_before_the_answer_and_run_again_it_is_given_back_once(*, applied: bool) -> None:
    bench = bench_with_letters()
    bench.cluster.lose_next_reply(applied=applied)
    with pytest.raises(LogUnavailable):
        done(bench, AGAIN)
    assert len(done(bench, AGAIN)) == int(not applied)
    drained(bench.decider())
    assert causes(bench) == ["open", "s-1"]
    assert len(bench.records(Topic.COMMANDS)) == 3


def test_of_two_at_once_the_later_one_does_it() -> None:
    bench = bench_with_letters()
    earlier = bench.cluster.only_writer(WRITER)
    seen = settled_letter_statuses(bench.cluster, earlier).values()
    assert len(done(bench, AGAIN)) == 1
    with pytest.raises(MemberReplaced):
        list(resolve(bench.cluster, earlier, seen, AGAIN))
    assert len(bench.records(Topic.COMMANDS)) == 3


def test_more_than_go_into_one_transaction_are_all_given_back() -> None:
    bench = bench_with_letters(2 * TOGETHER_LETTERS + 1)
    done(bench, AGAIN)
    drained(bench.decider())
    assert causes(bench) == ["open", *(f"s-{n}" for n in range(1, 2 * TOGETHER_LETTERS + 2))]
    assert all(each.resolution for each in letter_statuses(bench.cluster).values())


def test_what_still_cannot_be_read_becomes_a_letter_anew() -> None:
    bench = Bench()
    bench.publish(record(opening()), replace(record(standing(1)), value=b"rubbish"))
    drained(bench.decider())
    done(bench, AGAIN)
    drained(bench.decider())
    first, second = letter_statuses(bench.cluster).values()
    assert first.resolution is not None
    assert first.resolution.copy == second.source
    assert second.resolution is None


def test_a_discarded_letter_keeps_its_reason_and_is_given_back_by_nobody() -> None:
    bench = bench_with_letters()
    done(bench, NEVER)
    assert done(bench, AGAIN) == []
    drained(bench.decider())
    (found,) = letter_statuses(bench.cluster).values()
    assert found.resolution is not None
    assert (found.resolution.actor, found.resolution.reason) == ("ops-1", "a load test")
    assert found.resolved_at == START
    assert causes(bench) == ["open"]


def test_only_the_named_letter_is_closed() -> None:
    bench = bench_with_letters(3)
    (resolution,) = done(bench, NEVER, Place(partition=0, offset=2))
    assert resolution.source == Place(partition=0, offset=2)
    still_open = [each.source.offset for each in letter_statuses(bench.cluster).values()
                  if each.resolution is None]  # fmt: skip
    assert still_open == [1, 3]


def test_a_record_set_aside_twice_is_one_letter() -> None:
    bench = bench_with_letters()
    (letter,) = bench.records(Topic.DEAD_LETTERS)
    bench.publish(as_outgoing(letter))
    (found,) = letter_statuses(bench.cluster).values()
    assert found.letter_offset == letter.offset
    assert len(done(bench, AGAIN)) == 1


def test_a_record_from_a_wrong_partition_goes_home() -> None:
    cluster = MemoryCluster(4, lambda: START)
    sent = replace(record(standing(1), 4), headers=HEADERS)
    wrong = (sent.partition + 1) % 4
    cluster.publish([replace(sent, partition=wrong)])
    (stray,) = cluster.replay(Topic.COMMANDS)
    reason = UnreadableRecord(Unreadable.WRONG_PARTITION, "elsewhere")
    cluster.publish([dead_letter(stray, Topic.COMMANDS, reason)])
    writer = cluster.only_writer(WRITER)
    chosen = settled_letter_statuses(cluster, writer).values()
    (resolution,) = resolve(cluster, writer, chosen, AGAIN)
    assert resolution.copy is not None
    assert resolution.copy.partition == partition_of(b"acct-1", 4) != wrong


def test_a_letter_can_be_looked_at_whole() -> None:
    bench = bench_with_letters(2)
    found = letter_statuses(bench.cluster)[Place(partition=0, offset=2)]
    letter = letter_of(bench.cluster, found)
    assert letter.original_headers == HEADERS
    assert letter.record.value == record(standing(2)).value
    assert (found.command_id, found.reason) == ("s-1", "WRONG_PARTITION")


def test_headers_that_came_with_a_record_forge_neither_letter_nor_resolution() -> None:
    bench = bench_with_letters()
    (resolution,) = done(bench, NEVER)
    forged = bench.records(Topic.DEAD_LETTERS)[-1].headers
    twice = replace(
        record(standing(2)), value=b"rubbish", headers=(*forged, (f"{ERRORS}offset", b"0"))
    )
    bench.publish(twice)
    drained(bench.decider())
    letter = bench.records(Topic.DEAD_LETTERS)[-1]
    assert read_resolution(letter) is None
    found = read_letter(letter)
    assert isinstance(found, Letter)
    assert found.source == Place(partition=0, offset=2)
    assert found.original_headers == twice.headers
    assert [each.resolution for each in letter_statuses(bench.cluster).values()] == [
        resolution,
        None,
    ]


def test_a_long_story_beside_a_letter_is_cut() -> None:
    bench = bench_with_letters()
    (found,) = bench.records(Topic.COMMANDS)[1:]
    error = UnreadableRecord(Unreadable.BREAKS_THE_CODE, "x" * 2_000_000)
    letter = dead_letter(found, Topic.COMMANDS, error)
    assert sum(len(content) for _, content in letter.headers) < 2_000


def as_outgoing(found: LogRecord) -> Outgoing:
    return Outgoing(
        topic=Topic.DEAD_LETTERS,
        partition=found.partition,
        key=found.key,
        value=found.value,
        headers=found.headers,
    )
