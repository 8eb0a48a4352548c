"""The simulator is itself held to account: sound seeds pass, and what is wrong is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from ledger.log.seam import Outgoing, Topic
from ledger.wire.avro.codec import decode_event
from tests.simulation import oracle
from tests.simulation.database import PENDING, SENT
from tests.simulation.faults import RATES
from tests.simulation.run import Settings, settings_of, simulate
from tests.simulation.seeds import Figures, live
from tests.simulation.world import World, quiet_and_breakable
from tests.simulation.wrong_worlds import WRONG, accepted

SOUND_SEEDS = range(60)
SEED_WITH_EVERYTHING = 0
"""It ends with dead letters, and with deadlines that are to come and that were sent."""


@pytest.fixture(scope="module")
def figures() -> Figures:
    """Some seeds of the real handlers; all of them sound."""
    total = Figures()
    for seed in SOUND_SEEDS:
        lived = live(seed)
        assert lived.violations == [], f"make simulate SEED={seed}"
        total.add(lived.figures)
    return total


@pytest.fixture
def lived() -> Iterator[World]:
    """A seed that was lived through, with rows in every part of it."""
    with quiet_and_breakable():
        world = World(SEED_WITH_EVERYTHING)
        try:
            world.run()
            assert oracle.violations(world) == []
            states = {row.state for row in world.database.rows.deadlines.values()}
            assert {PENDING, SENT} <= states
            assert list(world.broker.committed_records(Topic.DEAD_LETTERS)) != []
            yield world
        finally:
            world.close()


def test_some_seeds_have_every_kind_of_fault(figures: Figures) -> None:
    assert set(RATES) - set(figures.faults) == set()
    assert figures.seeds == len(SOUND_SEEDS)
    assert min(figures.crashes, figures.rebalances, figures.commits, figures.wrong_worlds) > 0


def test_a_seed_is_the_same_history_every_time() -> None:
    told: list[list[str]] = [[], []]
    again = [live(11, trace=lines.append) for lines in told]
    assert told[0] == told[1]
    assert again[0] == again[1]
    assert told[0] != []


def test_two_seeds_are_two_histories() -> None:
    assert live(11).figures != live(12).figures


def _an_event_is_lost(world: World) -> None:
    events = world.broker.partitions[Topic.EVENTS, _partition(world)]
    events.entries[_last(world)] = (None, None)


def _an_event_is_doubled(world: World) -> None:
    partition = _partition(world)
    record, _ = world.broker.partitions[Topic.EVENTS, partition].entries[_last(world)]
    assert record is not None
    world.broker.publish(
        [Outgoing(topic=Topic.EVENTS, partition=partition, key=record.key, value=record.value)]
    )


def _a_command_is_undecided(world: World) -> None:
    commands = world.broker.partitions[Topic.COMMANDS, _partition(world)]
    first = commands.read(0, 1).records[0]
    account = b"nobody"
    while _home(world, account) != first.partition:
        account += b"!"
    from tests.consumers.ledgers import opening, record

    world.broker.publish([record(opening(account.decode()), world.broker.partition_count)])


def _a_row_is_wrong(world: World) -> None:
    rows = world.database.rows.tables["accounts"]
    key = next(iter(rows))
    rows[key] = {**rows[key], "in_arrears": not rows[key]["in_arrears"]}


def _a_row_too_many(world: World) -> None:
    rows = world.database.rows.tables["accounts"]
    rows["acct-0",] = dict(next(iter(rows.values())))


def _a_dead_letter_too_many(world: World) -> None:
    letters = list(world.broker.committed_records(Topic.DEAD_LETTERS))
    again = Outgoing(
        topic=Topic.DEAD_LETTERS,
        partition=letters[0].partition,
        key=None,
        value=b"",
        headers=letters[0].headers,
    )
    world.broker.publish([again])


def _a_deadline_is_gone(world: World) -> None:
    world.database.rows.deadlines.clear()


def _a_deadline_is_marked_sent(world: World) -> None:
    rows = world.database.rows.deadlines
    for place, row in rows.items():
        rows[place] = replace(row, state="SENT")


@pytest.mark.parametrize(
    "fault",
    [
        _an_event_is_lost,
        _an_event_is_doubled,
        _a_command_is_undecided,
        _a_row_is_wrong,
        _a_row_too_many,
        _a_dead_letter_too_many,
        _a_deadline_is_gone,
        _a_deadline_is_marked_sent,
    ],
)
def test_the_oracle_sees_that(fault: Callable[[World], None], lived: World) -> None:
    fault(lived)
    assert oracle.violations(lived) != []


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_world_is_refused(
    wrong: Callable[[World, int], None], lived: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.simulation.wrong_worlds.SHARE_OF_SEEDS", 1.0)
    monkeypatch.setattr("tests.simulation.wrong_worlds.WRONG", (wrong,))
    assert accepted(lived) == []
    assert lived.wrong_worlds == 1


def test_a_world_that_is_not_wrong_after_all_is_reported(
    lived: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_wrong(world: World, partition: int) -> None:
        """It only looks."""

    monkeypatch.setattr("tests.simulation.wrong_worlds.SHARE_OF_SEEDS", 1.0)
    monkeypatch.setattr("tests.simulation.wrong_worlds.WRONG", (nothing_wrong,))
    assert accepted(lived) == ["nothing wrong, and it was not refused"]


def test_the_settings_are_the_variables_of_make() -> None:
    assert settings_of({"SEEDS": "20000", "JOBS": "2"}) == Settings(seeds=20_000, first=0, jobs=2)
    assert settings_of({"SEEDS": ""}) == Settings(seeds=500, first=0, jobs=1)
    with pytest.raises(ValueError, match="many"):
        settings_of({"SEEDS": "many"})


def test_a_run_ends_with_its_figures() -> None:
    from rich.console import Console

    console = Console(record=True, width=200)
    assert simulate(console, Settings(seeds=3, first=0, jobs=1)) == 0
    said = console.export_text()
    assert "seeds                   3" in said
    assert "0 of 3 seeds with a violation" in said


def _partition(world: World) -> int:
    counts = [
        len(world.broker.partitions[Topic.EVENTS, p].read(0, 10_000).records)
        for p in range(world.broker.partition_count)
    ]
    return counts.index(max(counts))


def _last(world: World) -> int:
    events = world.broker.partitions[Topic.EVENTS, _partition(world)]
    record = events.read(0, events.end).records[-1]
    assert decode_event(record.value).meta.log_sequence > 0
    return record.offset


def _home(world: World, account: bytes) -> int:
    from ledger.values.ids import partition_of

    return partition_of(account, world.broker.partition_count)
