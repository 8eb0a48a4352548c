"""The report hides nothing: what was found, what failed and what was skipped all stand in it."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from tests.torture.cells import Cell, all_cells
from tests.torture.history import Kind, Violation
from tests.torture.report import added, missing, page, row_of, rows_in, runs_in, sentence
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


def line(result: Result) -> str:
    return page([row_of(result)], []).strip().splitlines()[-1]


def told(*results: Result) -> str:
    return sentence([row_of(each) for each in results])


def test_a_clean_cell_is_told_with_its_figures() -> None:
    assert KILLED.clean
    assert line(KILLED) == (
        "| decider | kill | writer.sent | 1000 | 300 | 1100 | 1000 | 50 | 3.5"
        " | 0 | 0 | 0 | 0 | 0 | 0 | 0 | ok |"
    )


def test_a_violation_is_counted_and_told() -> None:
    assert not LOSING.clean
    assert LOSING.told() == ["lost: command c-1"]
    assert line(LOSING).endswith("| 1 | 0 | 0 | 0 | 0 | 0 | 0 | VIOLATED |")
    assert "1 lost" in told(KILLED, LOSING)


def test_a_fault_that_never_struck_is_no_success() -> None:
    assert not UNREACHED.clean
    assert line(UNREACHED).endswith("waited 40 s for writer.sent to be passed |")
    assert "1 cells failed" in told(KILLED, UNREACHED)


def test_what_was_skipped_is_said_and_not_counted() -> None:
    assert "skipped: run it as root" in line(SKIPPED)
    assert told(KILLED, SKIPPED).startswith("1 cells; 1,000 commands published, 30%")
    assert "1 skipped" in told(KILLED, SKIPPED)


def test_a_page_is_read_as_it_was_written() -> None:
    rows = [row_of(each) for each in (KILLED, replace(SKIPPED, decided_again_seconds=None))]
    text = page(rows, ["one", "two"])
    assert rows_in(text) == rows
    assert runs_in(text) == ["one", "two"]


def test_a_run_adds_its_cells_and_replaces_those_it_ran_again(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    other = row_of(replace(KILLED, cell=cell("decider/kill/writer.settled")))
    path.write_text(added(path, [row_of(LOSING), other], "one"), encoding="utf-8")
    text = added(path, [row_of(KILLED)], "two")
    assert rows_in(text) == [row_of(KILLED), other]
    assert runs_in(text) == ["one", "two"]
    left = missing(path, all_cells())
    assert {each.name for each in all_cells()} - {each.name for each in left} == {
        "decider/kill/writer.sent",
        "decider/kill/writer.settled",
    }
