"""The cells are many, distinct, and leave no failpoint of the source out."""

from __future__ import annotations

import re

from tests.house.tree import ROOT
from tests.torture.__main__ import choose
from tests.torture.cells import QUICK, all_cells
from tests.torture.faults import AtPoint


def points_in_the_source() -> set[str]:
    return {
        point
        for path in (ROOT / "src").rglob("*.py")
        for point in re.findall(r'passing\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    }


def test_there_are_a_hundred_cells_of_different_names() -> None:
    names = [cell.name for cell in all_cells()]
    assert len(names) == len(set(names)) >= 100


def test_every_failpoint_in_the_source_is_tortured_and_no_other() -> None:
    tortured = {cell.fault.point for cell in all_cells() if isinstance(cell.fault, AtPoint)}
    assert tortured == points_in_the_source()


def test_twenty_deciders_are_stopped_until_another_takes_over() -> None:
    assert sum(cell.takes_over for cell in all_cells()) >= 20


def test_the_cells_of_ci_are_there_and_reach_every_component() -> None:
    quick = choose("", quick=True)
    assert {cell.name for cell in quick} == QUICK
    assert len(quick) >= 15
    every = {cell.component for cell in all_cells()}
    assert {cell.component for cell in quick} == every - {"decider-2"}


def test_cells_are_chosen_by_part_of_a_name_or_by_pattern() -> None:
    assert [cell.name for cell in choose("kill/writer.sent", quick=False)] == [
        cell.name for cell in all_cells() if cell.name.endswith("kill/writer.sent")
    ]
    assert {cell.component for cell in choose("*/disk-full/*", quick=False)} == {
        "stores",
        "kafka",
        "postgres",
    }
