"""Changes add up per key, and how a sequence is cut into batches makes no difference."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projector.rows.changes import Add, ImpossibleChange, Insert, RowChange, Set, TableChanges, fold
from projector.rows.tables import NUMERIC, TEXT, Key, Row, Table
from projector.views import VIEWS
from tests.projector.stories import told

TABLE = Table(name="t", key=("id",), columns={"id": TEXT, "state": TEXT, "sum": NUMERIC})
TOLD = told().events


def insert(key: str, state: str = "new", total: int = 0) -> Insert:
    return Insert(table=TABLE, row={"id": key, "state": state, "sum": total})


def setting(key: str, state: str) -> Set:
    return Set(table=TABLE, key=(key,), columns={"state": state})


def adding(key: str, amount: int) -> Add:
    return Add(table=TABLE, key=(key,), amounts={"sum": amount})


def test_what_follows_an_insert_changes_the_row_to_be_inserted() -> None:
    (folded,) = fold([insert("a"), setting("a", "old"), adding("a", 5), adding("a", -7)])
    assert folded.inserts == {("a",): {"id": "a", "state": "old", "sum": -2}}
    assert folded.patches == {}


def test_a_row_that_was_there_is_touched_once() -> None:
    (folded,) = fold([adding("a", 5), setting("a", "x"), adding("a", 6), setting("a", "y")])
    assert folded.inserts == {}
    assert len(folded.patches) == 1
    patch = folded.patches[("a",)]
    assert (patch.columns, patch.amounts) == ({"state": "y"}, {"sum": 11})


def test_folding_leaves_the_changes_as_they_were() -> None:
    change = insert("a")
    fold([change, setting("a", "old")])
    assert change.row["state"] == "new"


@pytest.mark.parametrize("first", [insert("a"), setting("a", "x"), adding("a", 1)])
def test_a_row_is_never_inserted_twice(first: RowChange) -> None:
    with pytest.raises(ImpossibleChange, match="already there"):
        fold([first, insert("a")])


@st.composite
def histories(draw: st.DrawFn) -> list[RowChange]:
    """Inserts of new keys, and sets and adds to keys inserted before."""
    history: list[RowChange] = []
    keys: list[str] = []
    for _ in range(draw(st.integers(1, 30))):
        kind = draw(st.sampled_from(["insert", "set", "add"])) if keys else "insert"
        if kind == "insert":
            keys.append(f"k{len(keys)}")
            history.append(insert(keys[-1]))
        elif kind == "set":
            history.append(setting(draw(st.sampled_from(keys)), draw(st.sampled_from("xyz"))))
        else:
            amount = draw(st.integers(-(10**20), 10**20))
            history.append(adding(draw(st.sampled_from(keys)), amount))
    return history


@settings(deadline=None)  # a busy machine is no failure
@given(history=histories(), cuts=st.sets(st.integers(0, 30)))
def test_any_split_into_batches_gives_the_same_table(
    history: list[RowChange], cuts: set[int]
) -> None:
    assert in_batches(history, cuts) == in_batches(history, range(len(history)))


@settings(deadline=None)  # a busy machine is no failure
@given(cuts=st.sets(st.integers(0, 200)))
def test_any_split_of_a_story_gives_the_same_read_models(cuts: set[int]) -> None:
    history = [change for event in TOLD for view in VIEWS for change in view.changes(event)]
    assert in_batches(history, cuts) == in_batches(history, ())


def in_batches(history: Sequence[RowChange], cuts: Collection[int]) -> dict[str, dict[Key, Row]]:
    """The tables after the history, cut before each of these places."""
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < len(history)), len(history)]
    tables: dict[str, dict[Key, Row]] = {}
    for start, end in pairwise(bounds):
        for folded in fold(history[start:end]):
            apply(tables.setdefault(folded.table.name, {}), folded)
    return tables


def apply(rows: dict[Key, Row], folded: TableChanges) -> None:
    """What the database does with a batch."""
    for key, row in folded.inserts.items():
        assert key not in rows
        rows[key] = dict(row)
    for key, patch in folded.patches.items():
        rows[key].update(patch.columns)
        for column, amount in patch.amounts.items():
            standing = rows[key][column]
            assert isinstance(standing, int)
            rows[key][column] = standing + amount
