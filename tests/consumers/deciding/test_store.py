"""The store: what was saved is found again, whether or not all keys fit into memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.deciding.recording import ChainEnd
from consumers.deciding.store import Store, StoreTaken
from ledger.state import Key
from ledger.state.entities import Order, Stream
from ledger.vocabulary.shapes import OrderKind


@pytest.fixture(params=[1_000, 3])
def indexed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for every key in memory, and with room for three."""
    monkeypatch.setattr("consumers.deciding.store._LEARNT_KEYS", request.param)


def filled(folder: Path | None) -> Store:
    store = Store(folder, 0, "t-1")
    for number in range(10):
        order = Order(kind=OrderKind.NEW, instance_ids=(f"i-{number}",))
        store.apply([(Key(Order, "acct-1", f"o-{number}"), order)])
    store.apply([(Key(Stream, "acct-1", ""), Stream(sequence=10))])
    store.save(11, ChainEnd(log_sequence=10))
    return store


@pytest.mark.usefixtures("indexed")
def test_what_was_saved_is_found_by_the_next_process(tmp_path: Path) -> None:
    filled(tmp_path).close()
    again = Store(tmp_path, 0, "t-1")
    assert again.place.from_offset == 11
    found = again.find(Order, "acct-1", "o-7")
    assert found == Order(kind=OrderKind.NEW, instance_ids=("i-7",))
    assert again.find(Stream, "acct-1", "") == Stream(sequence=10)


@pytest.mark.usefixtures("indexed")
def test_what_is_not_there_is_not_found() -> None:
    store = filled(None)
    assert store.find(Order, "acct-1", "o-10") is None
    assert store.find(Order, "acct-2", "o-1") is None
    assert store.find(Stream, "acct-1", "o-1") is None


@pytest.mark.usefixtures("indexed")
def test_what_is_applied_is_found_before_it_is_saved() -> None:
    store = filled(None)
    late = Order(kind=OrderKind.RENEWAL, instance_ids=("i-1",))
    store.apply([(Key(Order, "acct-1", "o-late"), late)])
    assert store.find(Order, "acct-1", "o-late") == late


@pytest.mark.usefixtures("indexed")
def test_what_was_taken_back_is_not_found_again() -> None:
    store = filled(None)
    store.begin()
    store.apply([(Key(Order, "acct-1", "o-late"), Order(kind=OrderKind.NEW, instance_ids=()))])
    store.apply([(Key(Stream, "acct-1", ""), Stream(sequence=11))])
    store.undo()
    assert store.find(Order, "acct-1", "o-late") is None
    assert store.find(Stream, "acct-1", "") == Stream(sequence=10)


def test_what_memory_has_no_room_for_is_found_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.deciding.store.RECENT_ENTITIES", 8)
    store = filled(None)
    for number in range(10, 30):
        order = Order(kind=OrderKind.NEW, instance_ids=(f"i-{number}",))
        store.apply([(Key(Order, "acct-1", f"o-{number}"), order)])
        store.save(number, ChainEnd(log_sequence=number))
    for number in range(30):
        found = store.find(Order, "acct-1", f"o-{number}")
        assert found == Order(kind=OrderKind.NEW, instance_ids=(f"i-{number}",))


@pytest.mark.usefixtures("indexed")
def test_a_cleared_store_has_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.clear()
    assert store.find(Stream, "acct-1", "") is None
    assert store.place.from_offset == 0


def test_an_owner_that_was_held_up_writes_nothing_over_its_successor(tmp_path: Path) -> None:
    held_up = filled(tmp_path)
    held_up.apply([(Key(Stream, "acct-1", ""), Stream(sequence=11))])
    successor = Store(tmp_path, 0, "t-1")
    successor.apply([(Key(Stream, "acct-1", ""), Stream(sequence=12))])
    successor.save(13, ChainEnd(log_sequence=12))
    with pytest.raises(StoreTaken, match=r"partition-0\.sqlite"):
        held_up.save(12, ChainEnd(log_sequence=11))
    successor.close()
    again = Store(tmp_path, 0, "t-1")
    assert (again.place.from_offset, again.find(Stream, "acct-1", "")) == (13, Stream(sequence=12))


def test_a_new_owner_need_not_wait_for_one_that_stands_still_in_mid_write(tmp_path: Path) -> None:
    stopped = filled(tmp_path)
    stopped._file._database.execute("BEGIN IMMEDIATE")
    successor = Store(tmp_path, 0, "t-1", patience_seconds=0.0)
    successor.save(5, ChainEnd(log_sequence=4))
    assert successor.place.from_offset == 5
