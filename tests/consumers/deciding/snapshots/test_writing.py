"""The writer of snapshots: behind the decisions, whatever becomes of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event as Flag

import pytest
from structlog.testing import capture_logs

from consumers.deciding.recording import ChainEnd
from consumers.deciding.snapshots.seam import Claim, Followed, SnapshotLost, Snapshots
from consumers.deciding.snapshots.writing import SnapshotWriter
from consumers.deciding.store import Store
from ledger.state import Key
from ledger.state.entities import Stream
from tests.consumers.deciding.snapshots.in_memory import MemorySnapshots, Shelf


class Machine:
    """A store with one saved entity, and its snapshot."""

    def __init__(self, folder: Path) -> None:
        self.shelf = Shelf()
        self.snapshots = MemorySnapshots(self.shelf)
        self.away = False
        self.opened = Flag()
        self.writer = SnapshotWriter(self.open, every_seconds=0.001)
        self.store = Store(folder, 0, "t-1", snapshots=self.snapshots, writer=self.writer)
        self.store.meet_snapshot()
        self.store.keep_snapshot()
        self.save(1)

    def open(self) -> Snapshots:
        """As the writer connects."""
        self.opened.set()
        if self.away:
            raise OSError("the database is away")
        return self.snapshots

    def save(self, number: int) -> None:
        """Something is decided."""
        self.store.apply([(Key(Stream, "acct-1", ""), Stream(sequence=number))])
        self.store.save(number, ChainEnd(log_sequence=number))

    def written(self) -> int:
        """How far the snapshot is."""
        kept = self.shelf.snapshots[0].kept
        return -1 if kept is None else kept.place.end.log_sequence


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.store.close()


def test_what_is_saved_is_written_at_the_next_turn(machine: Machine) -> None:
    machine.writer.write_all()
    assert machine.written() == 1
    machine.save(2)
    machine.writer.write_all()
    assert machine.written() == 2


def test_a_missing_database_is_told_once_and_what_was_missed_is_written_later(
    machine: Machine,
) -> None:
    machine.away = True
    with capture_logs() as logs:
        machine.writer.write_all()
        machine.save(2)
        machine.writer.write_all()
        machine.away = False
        machine.writer.write_all()
    assert [each["event"] for each in logs] == ["snapshots wait", "snapshots go on"]
    assert machine.written() == 2


def test_whoever_lost_the_snapshot_is_told_at_the_next_step(machine: Machine) -> None:
    machine.snapshots.take_over(Claim(partition=0, owner="another"))
    machine.store.prepare([])
    machine.writer.write_all()
    with pytest.raises(SnapshotLost):
        machine.store.prepare([])
    assert machine.written() == -1


def test_a_partition_that_was_let_go_is_written_no_more(machine: Machine) -> None:
    machine.writer.leave(0)
    machine.writer.write_all()
    assert machine.written() == -1


def test_a_file_that_is_gone_is_neither_written_nor_made(machine: Machine, tmp_path: Path) -> None:
    gone = tmp_path / "gone.sqlite"
    claim = Claim(partition=1, owner="one")
    machine.writer.follow(Followed(claim=claim, path=gone))
    machine.writer.write_all()
    assert not gone.exists()
    assert 1 not in machine.shelf.snapshots


def test_the_thread_writes_by_itself_and_ends_when_it_is_closed(machine: Machine) -> None:
    with closing(machine.writer):
        machine.writer.start()
        assert machine.opened.wait(timeout=30)
    machine.writer.write_all()
    assert machine.written() == 1
