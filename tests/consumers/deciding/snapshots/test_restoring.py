"""A machine that lost its files goes on from the snapshot as if it had kept them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from consumers.deciding import folding
from consumers.deciding.decider import GROUP, PartitionDecider
from consumers.deciding.files import Row, view_of
from consumers.deciding.snapshots import borrowing
from consumers.deciding.snapshots.seam import (
    Claim,
    Followed,
    Kept,
    SnapshotLost,
    SnapshotsUnavailable,
)
from consumers.deciding.snapshots.writing import write_snapshot
from consumers.deciding.store import Store
from ledger.log.seam import LogRecord, Topic
from ledger.state.entities import SeenCommand, Stream
from ledger.wire.avro.codec import decode_event
from tests.consumers.deciding.snapshots.in_memory import MemorySnapshots, Shelf, Snapshot
from tests.consumers.ledgers import Bench, assert_one_chain, opening, record, standing


class ByHand:
    """Writes a snapshot when it is told to."""

    def __init__(self, snapshots: MemorySnapshots) -> None:
        self._snapshots = snapshots
        self.followed: dict[int, Followed] = {}

    def follow(self, followed: Followed) -> None:
        self.followed[followed.claim.partition] = followed

    def leave(self, partition: int) -> None:
        self.followed.pop(partition, None)

    def check(self, partition: int) -> None:
        """Nobody takes it over here."""

    def write(self) -> None:
        write_snapshot(self._snapshots, self.followed[0])


class Watched(MemorySnapshots):
    """Counts what is asked of it, and may be away."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf)
        self.asked: list[str] = []
        self.away = False

    def take_over(self, claim: Claim) -> Kept | None:
        self._answer()
        return super().take_over(claim)

    def accounts(self, claim: Claim, account_ids: Sequence[str], most: int) -> list[Row]:
        self._answer()
        self.asked += account_ids
        return super().accounts(claim, account_ids, most)

    def _answer(self) -> None:
        if self.away:
            raise SnapshotsUnavailable("away")


class Machines(Bench):
    """A ledger whose decider moves between machines, with one place of snapshots."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.root = folder
        self.shelf = Shelf()
        self.snapshots = Watched(self.shelf)
        self.writer = ByHand(self.snapshots)
        self.store: Store | None = None

    def start(self, machine: str, *, snapshots: bool = True) -> PartitionDecider:
        """A decider on a machine, restored."""
        known = self.snapshots if snapshots else None
        topic_id = self.world.events_topic_id
        self.store = Store(self.root / machine, 0, topic_id, snapshots=known, writer=self.writer)
        log = self.cluster.consumer(GROUP, Topic.COMMANDS)
        decider = PartitionDecider(log, 0, self.store, self.world)
        decider.restore()
        return decider

    def decide(self, decider: PartitionDecider, numbers: range, account: str = "acct-1") -> None:
        """Have it decide some commands."""
        self.publish(*(record(standing(number, account)) for number in numbers))
        while decider.step(0):
            pass

    def found(self, number: int) -> SeenCommand | None:
        """What the store knows of a command of acct-1."""
        assert self.store is not None
        return self.store.find(SeenCommand, "acct-1", f"s-{number}")

    def snapshot(self) -> Snapshot:
        """What is kept."""
        return self.shelf.snapshots[0]


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the events that restores read, each once."""
    seen: list[int] = []

    def noted(value: bytes) -> object:
        recorded = decode_event(value)
        seen.append(recorded.meta.log_sequence)
        return recorded

    monkeypatch.setattr(folding, "decode_event", noted)
    return seen


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    """A ledger of two accounts with eleven events, and its snapshot up to there."""
    machines = Machines(tmp_path)
    decider = machines.start("a")
    machines.publish(record(opening()), record(opening("acct-2", "open-2")))
    machines.decide(decider, range(4))
    machines.decide(decider, range(4, 8), "acct-2")
    machines.writer.write()
    return machines


def test_an_empty_machine_reads_only_what_came_after_the_snapshot(
    machines: Machines, folded: list[int]
) -> None:
    first = machines.start("a")
    machines.decide(first, range(8, 10))
    folded.clear()
    second = machines.start("empty")
    assert min(folded) >= 8
    machines.decide(second, range(12))
    assert_one_chain(machines.records(Topic.EVENTS), 1)
    decided = [cause for _, cause in machines.outcomes()]
    assert decided[-8:] == [f"s-{number}" for number in (8, 9, 4, 5, 6, 7, 10, 11)]


def test_an_account_comes_when_it_is_first_needed_and_only_then(machines: Machines) -> None:
    second = machines.start("empty")
    assert machines.snapshots.asked == ["acct-2"]
    machines.decide(second, range(4))
    machines.decide(second, range(4))
    assert machines.snapshots.asked == ["acct-2", "acct-1"]
    assert len(machines.events()) == 11
    machines.start("empty")
    assert machines.found(3) is not None
    assert machines.snapshots.asked == ["acct-2", "acct-1"]


def test_a_large_account_comes_entity_by_entity(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(borrowing, "MOST_ENTITIES", 3)
    second = machines.start("empty")
    machines.decide(second, range(3, 9))
    assert [cause for _, cause in machines.outcomes()][-5:] == [f"s-{n}" for n in range(4, 9)]
    with view_of(machines.root / "empty" / "partition-0.sqlite") as view:
        here = {row[2] for row in view.rows_since(-100) if row[1] == "SeenCommand"}
    assert here == {f"s-{number}" for number in range(3, 9)}


def test_what_changed_here_is_not_replaced_by_what_the_snapshot_has(machines: Machines) -> None:
    second = machines.start("empty")
    machines.decide(second, range(8, 9))
    assert machines.store is not None
    latest = machines.store.find(Stream, "acct-1", "")
    machines.start("empty")
    machines.store.prepare(["acct-1", "acct-2"])
    assert machines.store.find(Stream, "acct-1", "") == latest == Stream(sequence=6, facts=6)


def test_a_snapshot_continues_by_what_changed(machines: Machines) -> None:
    before = machines.snapshot().entities
    second = machines.start("empty")
    machines.decide(second, range(8, 9))
    machines.writer.write()
    after = machines.snapshot().entities
    changed = {key[1:] for key in after if before.get(key) != after[key]}
    assert changed >= {("Stream", ""), ("SeenCommand", "s-8")}
    assert before.keys() - after.keys() == set()
    machines.start("third")
    assert machines.found(0)
    assert machines.found(8)


def test_the_same_machine_goes_on_from_its_file(machines: Machines, folded: list[int]) -> None:
    first = machines.start("a")
    machines.decide(first, range(8, 10))
    folded.clear()
    machines.start("a")
    assert (folded, machines.snapshots.asked) == ([11, 12], [])


def test_the_last_event_is_found_although_every_transaction_took_an_offset_more(
    machines: Machines, folded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "FOLDED_AT_ONCE", 4)
    first = machines.start("a")
    for number in range(8, 40):
        machines.decide(first, range(number, number + 1))
    machines.writer.write()
    for machine in ("a", "empty"):
        folded.clear()
        machines.start(machine)
        assert len([number for number in folded if number < 42]) < 10


def test_a_file_that_is_behind_the_snapshot_gives_way_to_it(
    machines: Machines, folded: list[int]
) -> None:
    second = machines.start("b")
    machines.decide(second, range(8, 10))
    machines.writer.write()
    folded.clear()
    third = machines.start("a")
    assert min(folded) >= 10
    machines.decide(third, range(10))
    assert len(machines.events()) == 17


def test_a_snapshot_of_another_history_is_not_believed(
    machines: Machines, folded: list[int]
) -> None:
    known = machines.snapshot()
    assert known.kept is not None
    end = replace(known.kept.place.end, last_hash=b"\x01" * 32)
    other = replace(known.kept, place=replace(known.kept.place, end=end))
    machines.shelf.snapshots[0] = replace(known, kept=other)
    second = machines.start("empty")
    assert folded[-11:] == list(range(11))
    machines.decide(second, range(8, 9))
    machines.writer.write()
    assert machines.snapshot() == replace(
        machines.snapshot(), entities=_all_of(machines.root / "empty")
    )


def test_an_older_snapshot_only_takes_longer(machines: Machines, folded: list[int]) -> None:
    backup = dict(machines.shelf.snapshots)
    second = machines.start("b")
    machines.decide(second, range(8, 10))
    machines.writer.write()
    machines.shelf.snapshots = backup
    folded.clear()
    third = machines.start("empty")
    assert min(folded) >= 8
    machines.decide(third, range(12))
    assert len(machines.events()) == 19
    machines.writer.write()
    machines.start("fourth")
    assert machines.found(11)
    assert machines.found(0)


def test_a_restored_backup_is_written_again_from_where_it_is(machines: Machines) -> None:
    first = machines.start("a")
    backup = dict(machines.shelf.snapshots)
    machines.decide(first, range(8, 9))
    machines.writer.write()
    machines.decide(first, range(9, 10))
    machines.shelf.snapshots = backup
    machines.writer.write()
    assert machines.snapshot().entities == _all_of(machines.root / "a")


def test_an_earlier_owner_that_was_held_up_changes_nothing(machines: Machines) -> None:
    first = machines.start("a")
    machines.decide(first, range(8, 9))
    held_up = dict(machines.writer.followed)
    machines.start("b")
    known = machines.snapshot()
    with pytest.raises(SnapshotLost):
        write_snapshot(machines.snapshots, held_up[0])
    assert machines.snapshot() == known


def test_an_earlier_owner_that_was_held_up_decides_nothing_more(machines: Machines) -> None:
    held_up = machines.start("b")
    machines.start("c")
    machines.publish(record(standing(8)))
    with pytest.raises(SnapshotLost):
        held_up.step(0)


def test_a_deleted_snapshot_ends_who_needs_it_and_the_next_start_folds(
    machines: Machines, folded: list[int]
) -> None:
    second = machines.start("empty")
    machines.shelf.snapshots.clear()
    machines.publish(record(standing(8)))
    with pytest.raises(SnapshotLost):
        second.step(0)
    folded.clear()
    third = machines.start("empty")
    assert folded == list(range(11))
    machines.decide(third, range(9))
    machines.writer.write()
    assert machines.snapshot().entities == _all_of(machines.root / "empty")
    assert len(machines.events()) == 16


@pytest.mark.parametrize("gone", [SnapshotsUnavailable, SnapshotLost, sqlite3.OperationalError])
def test_a_state_that_cannot_be_read_is_no_fault_of_a_command(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, gone: type[Exception]
) -> None:
    monkeypatch.setattr(borrowing, "MOST_ENTITIES", 3)
    second = machines.start("empty")

    def away(*_: object) -> Row | None:
        raise gone("away")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(machines.snapshots, "entity", away)
        machines.publish(record(standing(8)))
        with pytest.raises(gone):
            second.step(0)
    machines.decide(machines.start("empty"), range(0))
    assert [cause for _, cause in machines.outcomes()][-1] == "s-8"
    assert list(machines.cluster.replay(Topic.DEAD_LETTERS)) == []


def test_an_account_with_any_name_it_may_have_is_fetched_with_its_batch() -> None:
    names = ["acct-1", "a\u00a0b", "全角\u3000名", "x" * 200]
    keys = [name.encode() for name in names] + [b"\x00", b"\xff", b"x" * 201, b""]
    records = [
        LogRecord(partition=0, offset=n, appended_at=0, key=key, value=None)
        for n, key in enumerate(keys)
    ]
    assert sorted(folding.accounts_of(records)) == sorted(names)


def test_a_deleted_snapshot_is_made_anew_from_a_whole_file(machines: Machines) -> None:
    first = machines.start("a")
    machines.shelf.snapshots.clear()
    machines.decide(first, range(8, 9))
    machines.writer.write()
    assert machines.snapshot().entities == _all_of(machines.root / "a")
    machines.decide(first, range(9, 10))
    machines.writer.write()
    assert machines.snapshot().entities == _all_of(machines.root / "a")


def test_a_whole_file_goes_on_without_the_database(machines: Machines) -> None:
    machines.snapshots.away = True
    first = machines.start("a")
    machines.decide(first, range(8, 9))
    assert len(machines.events()) == 12
    machines.snapshots.away = False
    machines.writer.write()
    machines.decide(first, range(9, 10))
    assert len(machines.events()) == 13


def test_a_file_that_went_on_alone_is_copied_whole_since_its_revisions_are_its_own(
    machines: Machines,
) -> None:
    alone = machines.start("a", snapshots=False)
    machines.decide(alone, range(8, 12))
    again = machines.start("a")
    machines.shelf.snapshots[0].entities.clear()
    machines.decide(again, range(12, 13))
    machines.writer.write()
    assert machines.snapshot().entities == _all_of(machines.root / "a")


def test_a_file_that_needs_the_snapshot_does_not_start_without(machines: Machines) -> None:
    machines.start("empty")
    machines.snapshots.away = True
    with pytest.raises(SnapshotsUnavailable):
        machines.start("empty")


def test_a_file_that_needs_the_snapshot_is_folded_again_where_snapshots_are_off(
    machines: Machines, folded: list[int]
) -> None:
    machines.start("empty")
    folded.clear()
    machines.start("empty", snapshots=False)
    assert folded == list(range(11))
    assert machines.found(0) is not None


def _all_of(machine: Path) -> dict[tuple[str, str, str], bytes]:
    with view_of(machine / "partition-0.sqlite") as view:
        return {row[:3]: row[3] for row in view.rows_since(-1)}
