"""What holds for every place of snapshots: in memory, and in a real database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from consumers.deciding.files import Place, Row
from consumers.deciding.recording import ChainEnd
from consumers.deciding.snapshots.postgres import PostgresSnapshots
from consumers.deciding.snapshots.seam import Claim, Kept, SnapshotLost, Snapshots
from projector.migrations import migrate
from tests.consumers.deciding.snapshots.in_memory import MemorySnapshots, Shelf

FIRST, SECOND = Claim(partition=3, owner="first"), Claim(partition=3, owner="second")
ONE: list[Row] = [("acct-1", "Order", f"o-{number}", b"1") for number in range(3)]
TWO: list[Row] = [("acct-2", "Order", "o-1", b"2"), ("acct-2", "Stream", "", b"\x00\xff")]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def snapshots(request: pytest.FixtureRequest) -> Iterator[Snapshots]:
    if request.param == "memory":
        yield MemorySnapshots(Shelf())
        return
    database = request.getfixturevalue("database")
    migrate(database)
    with closing(PostgresSnapshots(database)) as found:
        yield found


def kept(number: int, owner: str = "first") -> Kept:
    end = ChainEnd(log_sequence=number, last_hash=bytes([number]) * 32, recorded_at=7)
    return Kept(
        place=Place(topic_id="t-1", from_offset=number, end=end), owner=owner, revision=number
    )


def written(snapshots: Snapshots, rows: list[Row], number: int, claim: Claim = FIRST) -> None:
    with snapshots.writing(claim) as draft:
        draft.put(rows)
        draft.move(kept(number, claim.owner))


def broken_off(snapshots: Snapshots) -> None:
    with snapshots.writing(FIRST) as draft:
        draft.clear()
        draft.put(TWO)
        raise RuntimeError


def test_a_successor_gets_what_was_written_and_where_it_is(snapshots: Snapshots) -> None:
    assert snapshots.take_over(FIRST) is None
    written(snapshots, ONE + TWO, 7)
    assert snapshots.take_over(SECOND) == kept(7)
    assert sorted(snapshots.accounts(SECOND, ["acct-2", "acct-3"], 10)) == TWO
    assert snapshots.entity(SECOND, "acct-2", "Stream", "") == TWO[1]
    assert snapshots.entity(SECOND, "acct-2", "Stream", "x") is None


def test_no_more_entities_of_an_account_come_than_were_asked_for(snapshots: Snapshots) -> None:
    snapshots.take_over(FIRST)
    written(snapshots, ONE + TWO, 7)
    found = snapshots.accounts(FIRST, ["acct-1", "acct-2"], 2)
    assert [row[0] for row in sorted(found)] == ["acct-1", "acct-1", "acct-2", "acct-2"]


def test_a_later_value_replaces_the_earlier_one(snapshots: Snapshots) -> None:
    snapshots.take_over(FIRST)
    written(snapshots, ONE + TWO, 7)
    written(snapshots, [("acct-1", "Order", "o-1", b"later")], 8)
    assert snapshots.entity(FIRST, "acct-1", "Order", "o-1") == ("acct-1", "Order", "o-1", b"later")
    assert len(snapshots.accounts(FIRST, ["acct-1"], 10)) == 3
    assert snapshots.take_over(SECOND) == kept(8)


def test_a_snapshot_that_is_made_anew_has_nothing_of_the_old_one(snapshots: Snapshots) -> None:
    snapshots.take_over(FIRST)
    written(snapshots, ONE, 7)
    with snapshots.writing(FIRST) as draft:
        draft.clear()
        draft.put(TWO)
        draft.move(kept(9))
    assert snapshots.accounts(FIRST, ["acct-1"], 10) == []
    assert sorted(snapshots.accounts(FIRST, ["acct-2"], 10)) == TWO


def test_an_earlier_owner_neither_reads_nor_writes(snapshots: Snapshots) -> None:
    snapshots.take_over(FIRST)
    written(snapshots, ONE, 7)
    snapshots.take_over(SECOND)
    with pytest.raises(SnapshotLost):
        written(snapshots, TWO, 8)
    with pytest.raises(SnapshotLost):
        snapshots.accounts(FIRST, ["acct-1"], 10)
    with pytest.raises(SnapshotLost):
        snapshots.entity(FIRST, "acct-1", "Order", "o-1")
    assert snapshots.take_over(FIRST) == kept(7, "second")


def test_half_a_change_is_none(snapshots: Snapshots) -> None:
    snapshots.take_over(FIRST)
    written(snapshots, ONE, 7)
    with pytest.raises(RuntimeError):
        broken_off(snapshots)
    assert sorted(snapshots.accounts(FIRST, ["acct-1", "acct-2"], 10)) == ONE
    assert snapshots.take_over(SECOND) == kept(7)


def test_each_partition_has_its_own(snapshots: Snapshots) -> None:
    other = Claim(partition=4, owner="other")
    snapshots.take_over(FIRST)
    assert snapshots.take_over(other) is None
    written(snapshots, ONE, 7)
    written(snapshots, TWO, 5, other)
    assert snapshots.accounts(other, ["acct-1"], 10) == []
    assert snapshots.take_over(SECOND) == kept(7)


@pytest.mark.integration
def test_a_deleted_snapshot_is_not_read_and_is_begun_again(database: str) -> None:
    migrate(database)
    with closing(PostgresSnapshots(database)) as snapshots:
        snapshots.take_over(FIRST)
        written(snapshots, ONE, 7)
        with psycopg.connect(database) as connection:
            connection.execute("TRUNCATE consumers.decider_snapshots, consumers.decider_entities")
        with pytest.raises(SnapshotLost, match="partition 3 was deleted"):
            snapshots.accounts(FIRST, ["acct-1"], 10)
        with snapshots.writing(FIRST) as draft:
            assert draft.kept is None
            draft.clear()
            draft.put(TWO)
            draft.move(kept(9))
        assert snapshots.take_over(SECOND) == kept(9)


@pytest.mark.integration
def test_a_cut_connection_is_made_again(database: str) -> None:
    migrate(database)
    with closing(PostgresSnapshots(database)) as snapshots:
        snapshots.take_over(FIRST)
        written(snapshots, ONE, 7)
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert sorted(snapshots.accounts(FIRST, ["acct-1"], 10)) == ONE
