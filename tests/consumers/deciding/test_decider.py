"""The decider: exactly one outcome per command, whatever dies and comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from consumers.deciding.decider import GROUP, CommitLost, PartitionDecider, World
from consumers.deciding.store import Store
from ledger.log.seam import Batch, LogRecord, Outgoing, Topic, WrongWorld
from ledger.values.instants import DAY
from ledger.vocabulary.commands import (
    DestroyPostpaidInstance,
    ReturnInstance,
    StartPostpaidInstance,
)
from ledger.vocabulary.shapes import Role
from tests.bodies import line, order
from tests.consumers.ledgers import (
    START,
    Bench,
    assert_one_chain,
    given,
    opening,
    record,
    standing,
    world,
)


def drained(decider: PartitionDecider) -> None:
    while decider.step(0):
        pass


def test_the_first_event_of_a_partition_says_how_the_ledger_was_opened() -> None:
    bench = Bench()
    bench.decider()
    (first,) = bench.events()
    assert first.body == bench.world.opened
    assert (first.meta.recorded_at, first.meta.source_offset, first.meta.sequence) == (0, -1, 0)


def test_events_follow_commands_in_order_and_form_one_chain() -> None:
    bench = Bench()
    decider = bench.decider()
    bench.publish(record(opening()), *(record(standing(n)) for n in range(5)))
    drained(decider)
    assert [cause for _, cause in bench.outcomes()] == ["open", *(f"s-{n}" for n in range(5))]
    assert assert_one_chain(bench.records(Topic.EVENTS), 1) == {"acct-1": 6}


def test_a_redelivered_command_leads_to_nothing_new() -> None:
    bench = Bench()
    decider = bench.decider()
    bench.publish(record(opening()), record(standing(1)), record(standing(1)), record(opening()))
    drained(decider)
    assert [cause for _, cause in bench.outcomes()] == ["open", "s-1"]


def test_every_event_names_who_approved_its_command_and_the_same_without_is_no_other() -> None:
    bench = Bench()
    decider = bench.decider()
    approved = replace(opening(), meta=replace(opening().meta, approved_by="bert"))
    bench.publish(record(approved), record(opening()), record(standing(1)))
    drained(decider)
    assert [event.meta.approved_by for event in bench.events()] == ["", "bert", ""]


def test_a_command_id_used_again_with_other_content_is_refused_once() -> None:
    bench = Bench()
    decider = bench.decider()
    other = replace(standing(1), meta=replace(standing(2).meta, command_id="s-1"))
    other = replace(other, body=standing(2).body)
    bench.publish(record(opening()), record(standing(1)), record(other), record(other))
    drained(decider)
    assert [name for name, _ in bench.outcomes()] == [
        "AccountOpened",
        "AccountStandingChanged",
        "CommandRefused",
    ]


def test_the_deciding_instant_is_the_append_time_and_never_goes_back() -> None:
    bench = Bench()
    decider = bench.decider()
    for moved, number in ((0, 1), (5, 2), (-3, 3), (9, 4)):
        bench.now = START + moved
        bench.publish(record(opening() if number == 1 else standing(number)))
    drained(decider)
    instants = [event.meta.recorded_at - START for event in bench.events()[1:]]
    assert instants == [0, 5, 5, 9]


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_reply_ends_the_decider_and_the_next_one_knows_what_was_written(
    tmp_path: Path, applied: bool
) -> None:
    bench = Bench(tmp_path)
    decider = bench.decider()
    bench.publish(record(opening()), record(standing(1)))
    bench.cluster.lose_next_reply(applied=applied)
    with pytest.raises(CommitLost):
        decider.step(0)
    decider.close()
    bench.publish(record(standing(2)))
    drained(bench.decider())
    assert [cause for _, cause in bench.outcomes()] == ["open", "s-1", "s-2"]
    assert_one_chain(bench.records(Topic.EVENTS), 1)


def test_a_fenced_decider_writes_nothing() -> None:
    bench = Bench()
    zombie, healthy = bench.decider(), bench.decider()
    bench.publish(record(opening()))
    with pytest.raises(CommitLost):
        zombie.step(0)
    drained(healthy)
    assert bench.outcomes() == [("AccountOpened", "open")]


def test_a_store_that_lags_behind_catches_up_with_the_log(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "new")
    first = bench.decider()
    bench.publish(record(opening()))
    drained(first)
    first.close()
    old = (tmp_path / "new" / "partition-0.sqlite").read_bytes()
    second = bench.decider()
    bench.publish(record(standing(1)))
    drained(second)
    second.close()
    (tmp_path / "new" / "partition-0.sqlite").write_bytes(old)
    for rest in (tmp_path / "new").glob("*-wal"):
        rest.unlink()
    bench.publish(record(standing(1)), record(standing(2)))
    drained(bench.decider())
    assert [cause for _, cause in bench.outcomes()] == ["open", "s-1", "s-2"]


@pytest.mark.parametrize("damage", ["lost", "garbage"])
def test_a_store_that_is_lost_or_damaged_is_folded_again(tmp_path: Path, damage: str) -> None:
    bench = Bench(tmp_path)
    first = bench.decider()
    bench.publish(record(opening()), record(standing(1)))
    drained(first)
    first.close()
    store = tmp_path / "partition-0.sqlite"
    if damage == "lost":
        store.unlink()
    else:
        store.write_bytes(b"not a database" * 1000)
    bench.publish(record(standing(1)), record(standing(2)))
    drained(bench.decider())
    assert [cause for _, cause in bench.outcomes()] == ["open", "s-1", "s-2"]


def test_a_store_of_another_past_is_dropped(tmp_path: Path) -> None:
    stranger = Bench(tmp_path)
    decider = stranger.decider()
    stranger.publish(record(opening("acct-9")), *(record(standing(n, "acct-9")) for n in range(9)))
    drained(decider)
    decider.close()
    bench = Bench(tmp_path)
    bench.publish(record(opening()), record(standing(1)))
    drained(bench.decider())
    assert assert_one_chain(bench.records(Topic.EVENTS), 1) == {"acct-1": 2}


def test_a_store_of_another_past_of_the_same_length_is_dropped(tmp_path: Path) -> None:
    stranger, bench = Bench(tmp_path / "used"), Bench(tmp_path / "own")
    for each, account in ((stranger, "acct-9"), (bench, "acct-1")):
        decider = each.decider()
        for command in (opening(account), standing(1, account)):
            each.publish(record(command))
            drained(decider)
        decider.close()
    bench.folder = tmp_path / "used"
    bench.publish(record(standing(1)), record(standing(2)))
    drained(bench.decider())
    assert assert_one_chain(bench.records(Topic.EVENTS), 1) == {"acct-1": 3}


def test_a_store_of_another_past_that_ends_where_the_log_ends_is_dropped(tmp_path: Path) -> None:
    stranger, bench = Bench(tmp_path / "used"), Bench(tmp_path / "own")
    for each, account in ((stranger, "acct-9"), (bench, "acct-1")):
        decider = each.decider()
        each.publish(record(opening(account)), record(standing(1, account)))
        drained(decider)
        decider.close()
    stranger.decider().close()
    bench.folder = tmp_path / "used"
    bench.cluster._committed.clear()
    bench.publish(record(standing(2)))
    drained(bench.decider())
    assert assert_one_chain(bench.records(Topic.EVENTS), 1) == {"acct-1": 3}


def test_an_owner_that_is_replaced_while_it_restores_ends_and_accuses_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    bench.decider()
    bench.publish(record(opening()))
    slow = bench.cluster.consumer(GROUP, Topic.COMMANDS, "slow")
    ask = slow.high_watermark

    def overtaken(topic: Topic, partition: int) -> int:
        drained(bench.decider())
        return ask(topic, partition)

    monkeypatch.setattr(slow, "high_watermark", overtaken)
    store = Store(None, 0, bench.world.events_topic_id)
    with pytest.raises(CommitLost, match="another owner has taken over"):
        PartitionDecider(slow, 0, store, bench.world).restore()
    assert bench.outcomes() == [("AccountOpened", "open")]


def test_what_was_aborted_before_the_opening_may_come_as_nothing_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    bench.cluster.abort([Outgoing(topic=Topic.EVENTS, partition=0, key=None, value=b"torn")])
    bench.decider()
    log = bench.cluster.consumer(GROUP, Topic.COMMANDS)
    read = log.read

    def one_step(topic: Topic, partition: int, position: int, *rest: Any) -> Batch:
        if position == 0:
            return Batch(records=(), next_position=2)
        return read(topic, partition, position, *rest)

    monkeypatch.setattr(log, "read", one_step)
    store = Store(None, 0, bench.world.events_topic_id)
    PartitionDecider(log, 0, store, bench.world).restore()


def test_forgotten_offsets_are_read_from_the_log_itself() -> None:
    bench = Bench()
    decider = bench.decider()
    bench.publish(record(opening()), record(standing(1)))
    drained(decider)
    bench.cluster._committed.clear()
    bench.publish(record(standing(2)))
    drained(bench.decider())
    assert [cause for _, cause in bench.outcomes()] == ["open", "s-1", "s-2"]


def test_a_forgotten_offset_sets_nothing_aside_twice() -> None:
    bench = Bench()
    bench.publish(record(opening()), replace(record(standing(1)), value=b"rubbish"))
    drained(bench.decider())
    bench.cluster._committed.clear()
    bench.publish(record(standing(2)))
    drained(bench.decider())
    assert len(bench.records(Topic.DEAD_LETTERS)) == 1
    assert [cause for _, cause in bench.outcomes()] == ["open", "s-2"]


def test_offsets_that_do_not_fit_the_log_refuse_to_start() -> None:
    bench = Bench()
    decider = bench.decider()
    bench.publish(record(opening()))
    drained(decider)
    place = next(iter(bench.cluster._committed))
    bench.cluster._committed[place] = replace(
        bench.cluster._committed[place], metadata="7:" + "00" * 32
    )
    with pytest.raises(WrongWorld, match="the committed offset names"):
        bench.decider()


def test_an_outcome_that_is_not_whole_refuses_to_start() -> None:
    bench = Bench()
    decider = bench.decider()
    bench.publish(record(opening()))
    drained(decider)
    torn = Bench()
    torn.cluster.publish([_as_outgoing(found) for found in _torn(bench)])
    with pytest.raises(WrongWorld, match="missing"):
        torn.decider()


def test_a_world_unlike_the_one_it_was_opened_in_refuses_to_start() -> None:
    bench = Bench()
    bench.decider()
    bench.world = _sandbox_of(bench.world)
    with pytest.raises(WrongWorld, match="opened with sandbox False, but now it is True"):
        bench.decider()


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("NOT_OURS", {"value": b"hello"}),
        ("NOT_OURS", {"value": None}),
        ("WRONG_KEY", {"key": b"acct-2"}),
        ("TOO_LARGE", {"value": b"\xc3\x01" + bytes(2_000_000)}),
    ],
)
def test_what_cannot_be_read_is_set_aside_as_it_came(
    reason: str, change: dict[str, bytes | None]
) -> None:
    bench = Bench()
    decider = bench.decider()
    bad = replace(record(standing(1)), **change)
    bench.publish(record(opening()), bad, record(standing(2)))
    drained(decider)
    (letter,) = bench.records(Topic.DEAD_LETTERS)
    assert (letter.key, letter.value) == (bad.key, bad.value)
    assert dict(letter.headers)["__connect.errors.exception.class.name"] == reason.encode()
    assert dict(letter.headers)["__connect.errors.offset"] == b"1"
    assert [cause for _, cause in bench.outcomes()] == ["open", "s-2"]


@pytest.mark.parametrize(("sandbox", "stamp"), [(False, START), (True, None)])
def test_a_stamp_belongs_to_a_sandbox_and_to_nothing_else(sandbox: bool, stamp: int | None) -> None:
    bench = Bench(sandbox=sandbox)
    decider = bench.decider()
    command = opening()
    bench.publish(record(replace(command, meta=replace(command.meta, sandbox_at=stamp))))
    drained(decider)
    (letter,) = bench.records(Topic.DEAD_LETTERS)
    assert dict(letter.headers)["__connect.errors.exception.class.name"] == b"WRONG_CLOCK"


def test_an_outcome_too_large_to_be_written_is_set_aside_and_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    decider = bench.decider()
    start = StartPostpaidInstance(instance_id="i-1", product="redis" * 30, region="gz")
    bench.publish(record(opening()), record(given("c-1", start)), record(standing(1)))
    monkeypatch.setattr("consumers.deciding.decider.MAX_EVENT_BYTES", 300)
    drained(decider)
    (letter,) = bench.records(Topic.DEAD_LETTERS)
    assert dict(letter.headers)["__connect.errors.exception.class.name"] == b"TOO_LARGE"
    assert [cause for _, cause in bench.outcomes()] == ["open", "s-1"]
    assert_one_chain(bench.records(Topic.EVENTS), 1)


def test_a_command_that_breaks_the_code_is_set_aside_and_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    decider = bench.decider()
    start = given("c-1", StartPostpaidInstance(instance_id="i-1", product="redis", region="gz"))
    destroy = DestroyPostpaidInstance(instance_id="i-1", acknowledged=True)
    bench.publish(record(opening()), record(start), record(standing(1)))
    bench.publish(record(given("c-2", destroy, role=Role.OWNER)))
    monkeypatch.setattr("ledger.state.accounts.replace", _broken)
    drained(decider)
    (letter,) = bench.records(Topic.DEAD_LETTERS)
    assert dict(letter.headers)["__connect.errors.exception.class.name"] == b"BREAKS_THE_CODE"
    assert [cause for _, cause in bench.outcomes()] == ["open", "c-1", "c-2"]
    assert_one_chain(bench.records(Topic.EVENTS), 1)


def test_an_outcome_that_breaks_the_code_halfway_is_taken_back_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    decider = bench.decider()
    bought = order("o-1", line("i-1"), starts_at=START, ends_at=START + 365 * DAY)
    back = ReturnInstance(instance_id="i-1", acknowledged=True)
    bench.publish(record(opening()), record(given("c-1", bought)))
    drained(decider)
    bench.publish(record(given("c-2", back, role=Role.SUPPORT)))
    with monkeypatch.context() as broken:
        broken.setattr("ledger.state.refunds.evolve", _broken)
        drained(decider)
    assert len(bench.records(Topic.DEAD_LETTERS)) == 1
    bench.publish(record(given("c-3", back, role=Role.SUPPORT)))
    drained(decider)
    names = [name for name, cause in bench.outcomes() if cause == "c-3"]
    assert names == ["InstanceIsolated", "RefundIssued"]


def test_a_new_topic_id_empties_the_store(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    decider = bench.decider()
    bench.publish(record(opening()))
    drained(decider)
    decider.close()
    assert Store(tmp_path, 0, bench.world.events_topic_id).place.end.log_sequence == 1
    other = world(topic_id="t-2").events_topic_id
    assert Store(tmp_path, 0, other).place.end.log_sequence == -1


def _broken(*_: object, **__: object) -> None:
    raise RuntimeError("planted")


def _sandbox_of(known: World) -> World:
    return replace(known, opened=replace(known.opened, sandbox=True))


def _torn(bench: Bench) -> list[LogRecord]:
    """The log with the last event claiming to be the first of two."""
    from ledger.wire.avro.codec import decode_event, encode_event

    *whole, last = bench.records(Topic.EVENTS)
    event = decode_event(last.value)
    value, _ = encode_event(replace(event, meta=replace(event.meta, count=2)))
    return [*whole, replace(last, value=value)]


def _as_outgoing(found: LogRecord) -> Outgoing:
    return Outgoing(topic=Topic.EVENTS, partition=0, key=found.key, value=found.value)
