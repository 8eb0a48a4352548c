"""The report hides nothing: what was found, what failed and what was skipped all stand in it."""

from __future__ import annotations

from msgspec.structs import replace

from tests.torture.cells import Cell, all_cells
from tests.torture.history import Kind, Violation
from tests.torture.report import page, sentence
from tests.torture.running import Result


def cell(name: str) -> Cell:
    return next(each for each in all_cells() if each.name == name)


KILLED = Result(
    cell=cell("decider/kill/writer.sent"),
    seed=1,
    seconds=9.0,
    published=1_000,
    commands=1_100,
    duplicates=300,
    events=1_000,
    looks=50,
    decided_again_seconds=3.5,
)
LOSING = replace(KILLED, violations=(Violation(kind=Kind.LOST, what="command c-1"),))
UNREACHED = replace(KILLED, failure="waited 40 s for writer.sent to be passed")
SKIPPED = replace(KILLED, skipped="run it as root")


def row(result: Result) -> str:
    return page([result], "", "").strip().splitlines()[-1]


def test_a_clean_cell_is_told_with_its_figures() -> None:
    assert KILLED.clean
    assert row(KILLED) == (
        "| decider | kill | writer.sent | 1100 | 300 | 1000 | 50 | 3.5"
        " | 0 | 0 | 0 | 0 | 0 | 0 | 0 | ok |"
    )


def test_a_violation_is_counted_and_told() -> None:
    assert not LOSING.clean
    assert LOSING.told() == ["lost: command c-1"]
    assert row(LOSING).endswith("| 1 | 0 | 0 | 0 | 0 | 0 | 0 | VIOLATED |")
    assert "1 lost" in sentence([KILLED, LOSING])


def test_a_fault_that_never_struck_is_no_success() -> None:
    assert not UNREACHED.clean
    assert row(UNREACHED).endswith("waited 40 s for writer.sent to be passed |")
    assert "1 cells failed" in sentence([KILLED, UNREACHED])


def test_what_was_skipped_is_said_and_not_counted() -> None:
    assert "skipped: run it as root" in row(SKIPPED)
    assert sentence([KILLED, SKIPPED]).startswith("1 cells; 1,000 commands published, 30%")
    assert "1 skipped" in sentence([KILLED, SKIPPED])
