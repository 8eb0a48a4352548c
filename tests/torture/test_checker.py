"""The checker passes a clean history, and finds every fault that is planted in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from consumers.deciding.decider import GROUP, PartitionDecider, World
from consumers.deciding.store import Store
from consumers.reacting.reactor import GROUP as REACTIONS
from consumers.reacting.reactor import PartitionReactor
from consumers.webhooks.bodies import body_of, webhook_id
from ledger.log.memory import MemoryCluster
from ledger.log.seam import LogRecord, Topic
from ledger.terms.table import released_terms
from ledger.values.instants import SECOND
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import decode_event, encode_event
from projector.reconciling.independent_fold import Refold
from tests.consumers.webhooks.receivers import Got
from tests.torture.checker import Checker, plain
from tests.torture.history import Acked, Answer, History, Kind, Snapshot
from tests.torture.workload import START, workload

PARTITIONS = 2
NOW = START + 1_000 * SECOND
LATER = NOW + 3_600 * SECOND
OPENED = LedgerOpened(
    partition_count=PARTITIONS,
    topic_ids={topic.value: topic.value for topic in Topic},
    sandbox=False,
    program_version="test",
)


@cache
def clean() -> History:
    """What an undisturbed ledger in memory makes of a workload, without timers."""
    cluster = MemoryCluster(PARTITIONS, lambda: NOW)
    load = workload("c1", 7, PARTITIONS, NOW, commands=300, timers=0)
    acked = [
        Acked(sent=sent, place=place)
        for wave in load.waves
        for sent, place in zip(wave, cluster.publish(wave), strict=True)
    ]
    work_off(cluster)
    events = tuple(cluster.replay(Topic.EVENTS))
    return History(
        accounts=load.accounts,
        acked=tuple(acked),
        commands=tuple(cluster.replay(Topic.COMMANDS)),
        events=events,
        dead_letters=tuple(cluster.replay(Topic.DEAD_LETTERS)),
        snapshots=(shown(events),),
        answers=told(events),
        hook_id="hook_1",
        webhooks=webhooks(events),
    )


def webhooks(events: Sequence[LogRecord]) -> tuple[Got, ...]:
    """What a receiver gets of them."""
    found = [decode_event(each.value) for each in events]
    return tuple(
        Got(
            path="/",
            headers={"webhook-id": webhook_id("hook_1", event.meta.event_id)},
            body=body_of(event),
        )
        for event in found
        if event.meta.account_id
    )


def work_off(cluster: MemoryCluster) -> None:
    """Decide and react until nothing is left."""
    world = World(opened=OPENED, terms=released_terms())
    deciding = cluster.consumer(GROUP, Topic.COMMANDS)
    reacting = cluster.consumer(REACTIONS, Topic.EVENTS)
    workers: list[PartitionDecider | PartitionReactor] = []
    for partition in range(PARTITIONS):
        store = Store(None, partition, world.events_topic_id)
        workers.append(PartitionDecider(deciding, partition, store, world))
        workers.append(PartitionReactor(reacting, partition, sandbox=False))
    for worker in workers:
        worker.restore()
    while sum(worker.step(0.0) for worker in workers):
        pass


def shown(events: Sequence[LogRecord]) -> Snapshot:
    """The read models as they must be, as a database gives them back."""
    refold = Refold()
    for each in events:
        refold.take(decode_event(each.value))
    tables = {
        name: {key: plain_row(row) for key, row in rows.items()}
        for name, rows in refold.tables.items()
    }
    return Snapshot(positions=dict.fromkeys(range(PARTITIONS), 1_000_000), tables=tables)


def plain_row(row: dict[str, Any]) -> dict[str, Any]:
    found = plain(row)
    assert isinstance(found, dict)
    return found


def told(events: Sequence[LogRecord]) -> tuple[Answer, ...]:
    """Every outcome, as the clients were told it."""
    outcomes: dict[tuple[str, str, str], list[str]] = {}
    for each in events:
        meta = decode_event(each.value).meta
        if meta.account_id:
            key = (meta.account_id, meta.causation_id, meta.command_digest.hex())
            outcomes.setdefault(key, []).append(meta.event_id)
    return tuple(
        Answer(
            account_id=account_id,
            command_id=command_id,
            digest=digest,
            event_ids=tuple(ids),
            refused=False,
            complete=True,
        )
        for (account_id, command_id, digest), ids in outcomes.items()
    )


def found(history: History) -> set[Kind]:
    """The kinds of violations that the checker names."""
    checker = Checker(OPENED, released_terms())
    return {each.kind for each in checker.check(history, LATER)}


def place(wanted: Callable[[LogRecord], bool]) -> int:
    """Where among the events the first such one stands."""
    return next(number for number, each in enumerate(clean().events) if wanted(each))


def first_of(count: int) -> int:
    """The first event of an outcome of that many."""

    def fits(each: LogRecord) -> bool:
        meta = decode_event(each.value).meta
        return (meta.count, meta.index) == (count, 0) and meta.log_sequence > 0

    return place(fits)


def with_events(*events: LogRecord) -> History:
    return replace(clean(), events=events)


def without_an_outcome() -> History:
    at = first_of(1)
    return with_events(*clean().events[:at], *clean().events[at + 1 :])


def outcome_twice() -> History:
    at = first_of(1)
    again = clean().events[at]
    return with_events(*clean().events[: at + 1], again, *clean().events[at + 1 :])


def outcome_again_at_the_end() -> History:
    return with_events(*clean().events, clean().events[first_of(1)])


def torn_outcome() -> History:
    at = first_of(2)
    return with_events(*clean().events[: at + 1], *clean().events[at + 2 :])


def two_outcomes_swapped() -> History:
    at = place(lambda each: decode_event(each.value).meta.log_sequence == 5)
    one, two = clean().events[at : at + 2]
    return with_events(*clean().events[:at], two, one, *clean().events[at + 2 :])


def one_bit_of_an_event() -> History:
    at = first_of(1)
    value = bytearray(clean().events[at].value or b"")
    value[-1] ^= 1
    changed = replace(clean().events[at], value=bytes(value))
    return with_events(*clean().events[:at], changed, *clean().events[at + 1 :])


def opened_again() -> History:
    return with_events(clean().events[0], *clean().events)


def acked_command_gone() -> History:
    last = clean().acked[-1]
    where = (last.place.partition, last.place.offset)
    kept = [each for each in clean().commands if (each.partition, each.offset) != where]
    return replace(clean(), commands=tuple(kept))


def acked_command_changed() -> History:
    changed = replace(clean().commands[0], value=b"other")
    return replace(clean(), commands=(changed, *clean().commands[1:]))


def redelivery_took_effect() -> History:
    """A command that stands in the log twice is answered twice, in good order."""
    event = decode_event(clean().events[first_of(1)].value)
    source = (event.meta.source_partition, event.meta.source_offset)
    values = {(each.partition, each.offset): each.value for each in clean().commands}
    again = max(at for at in values if values[at] == values[source])
    meta = replace(event.meta, source_offset=again[1])
    value, _ = encode_event(replace(event, meta=meta))
    after = place(lambda each: _source(each) > again)
    twice = replace(clean().events[after], value=value)
    return with_events(*clean().events[:after], twice, *clean().events[after:])


def _source(each: LogRecord) -> tuple[int, int]:
    meta = decode_event(each.value).meta
    return meta.source_partition, meta.source_offset


def dead_letter_missing() -> History:
    return replace(clean(), dead_letters=clean().dead_letters[1:])


def dead_letter_twice() -> History:
    return replace(clean(), dead_letters=(*clean().dead_letters, clean().dead_letters[0]))


def follow_up_missing() -> History:
    """No settlement was ever asked for, and so none is in the log."""
    given = [each for each in clean().commands if b"settle_refund" not in (each.value or b"")]
    return replace(clean(), commands=tuple(given))


def answer_taken_back() -> History:
    wrong = replace(clean().answers[0], event_ids=("another",))
    return replace(clean(), answers=(*clean().answers, wrong))


def answer_to_nothing() -> History:
    invented = replace(clean().answers[0], command_id="never sent")
    return replace(clean(), answers=(*clean().answers, invented))


def changed_row(change: Callable[[dict[str, object]], None], table: str = "balances") -> History:
    snapshot = shown(clean().events)
    change(next(iter(snapshot.tables[table].values())))
    return replace(clean(), snapshots=(snapshot,))


def wrong_amount() -> History:
    return changed_row(lambda row: row.update(cash=1))


def row_missing() -> History:
    snapshot = shown(clean().events)
    snapshot.tables["postings"].popitem()
    return replace(clean(), snapshots=(snapshot,))


def row_too_many() -> History:
    snapshot = shown(clean().events)
    key, row = snapshot.tables["outcomes"].popitem()
    snapshot.tables["outcomes"] |= {key: row, (key[0], 999_999): row}
    return replace(clean(), snapshots=(snapshot,))


def rows_ahead_of_their_place() -> History:
    snapshot = replace(shown(clean().events), positions={0: 10, 1: 10})
    return replace(clean(), snapshots=(snapshot,))


def webhook_missing() -> History:
    return replace(clean(), webhooks=clean().webhooks[1:])


def webhook_of_no_event() -> History:
    another = replace(clean().webhooks[0], headers={"webhook-id": "msg_0"})
    return replace(clean(), webhooks=(*clean().webhooks, another))


def webhook_changed_at_its_repeat() -> History:
    changed = replace(clean().webhooks[0], body=clean().webhooks[1].body)
    return replace(clean(), webhooks=(*clean().webhooks, changed))


def webhooks_in_another_order() -> History:
    return replace(clean(), webhooks=tuple(reversed(clean().webhooks)))


PLANTED: dict[Callable[[], History], Kind] = {
    without_an_outcome: Kind.LOST,
    outcome_twice: Kind.DOUBLED,
    outcome_again_at_the_end: Kind.DOUBLED,
    redelivery_took_effect: Kind.DOUBLED,
    opened_again: Kind.DOUBLED,
    torn_outcome: Kind.TORN,
    two_outcomes_swapped: Kind.REORDERED,
    one_bit_of_an_event: Kind.WRONG_OUTCOME,
    acked_command_gone: Kind.LOST,
    acked_command_changed: Kind.LOST,
    dead_letter_missing: Kind.LOST,
    dead_letter_twice: Kind.DOUBLED,
    follow_up_missing: Kind.LOST,
    answer_taken_back: Kind.WRONG_ANSWER,
    answer_to_nothing: Kind.WRONG_ANSWER,
    wrong_amount: Kind.WRONG_READ_MODEL,
    row_missing: Kind.WRONG_READ_MODEL,
    row_too_many: Kind.WRONG_READ_MODEL,
    webhook_missing: Kind.LOST,
    webhook_of_no_event: Kind.DOUBLED,
    webhook_changed_at_its_repeat: Kind.WRONG_OUTCOME,
    webhooks_in_another_order: Kind.REORDERED,
    rows_ahead_of_their_place: Kind.WRONG_READ_MODEL,
}


def test_a_clean_history_passes() -> None:
    assert found(clean()) == set()


def test_a_clean_history_holds_all_that_can_go_wrong() -> None:
    assert clean().dead_letters
    assert len(clean().commands) > len(clean().acked)
    assert len({each.sent.value for each in clean().acked}) < len(clean().acked)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(plant: Callable[[], History]) -> None:
    assert PLANTED[plant] in found(plant())


def test_a_deadline_that_never_came_is_found() -> None:
    cluster = MemoryCluster(PARTITIONS, lambda: NOW)
    load = workload("c1", 7, PARTITIONS, NOW, commands=100, timers=5)
    for wave in load.waves:
        cluster.publish(wave)
    work_off(cluster)
    history = replace(
        clean(),
        acked=(),
        commands=tuple(cluster.replay(Topic.COMMANDS)),
        events=tuple(cluster.replay(Topic.EVENTS)),
        dead_letters=tuple(cluster.replay(Topic.DEAD_LETTERS)),
        snapshots=(),
        answers=(),
        webhooks=webhooks(tuple(cluster.replay(Topic.EVENTS))),
    )
    assert found(history) == {Kind.LOST}
