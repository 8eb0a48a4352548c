"""Failpoints do nothing unless switched on, and then act once, at the passing asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.log import failpoints
from ledger.log.failpoints import FIRED, VARIABLE, Armed, FailpointReached, passing_in


def passings(point: Armed, count: int) -> int:
    """How often the point was passed before it raised; `count` if it never did."""
    for number in range(count):
        try:
            point.passing("decider.read")
        except FailpointReached:
            return number + 1
    return count


def test_without_the_variable_a_failpoint_is_an_empty_function() -> None:
    assert failpoints.passing is passing_in({})
    assert failpoints.passing.__code__.co_names == ()


def test_a_point_that_is_not_armed_is_passed(tmp_path: Path) -> None:
    (tmp_path / "decider.saved").write_text("raise 1")
    assert passings(Armed(tmp_path), 5) == 5


def test_an_armed_point_acts_at_the_passing_asked_for_and_only_once(tmp_path: Path) -> None:
    (tmp_path / "decider.read").write_text("raise 3")
    point = Armed(tmp_path)
    assert passings(point, 5) == 3
    assert [each.name for each in tmp_path.iterdir()] == ["decider.read" + FIRED]
    assert passings(point, 5) == 5


@pytest.mark.parametrize(
    ("action", "status"), [("kill", -9), ("exit", failpoints.EXIT_STATUS), ("raise", 1)]
)
def test_an_action_ends_the_process_as_it_says(action: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "here").write_text(f"{action} 1")
    code = "from ledger.log.failpoints import passing; passing('here')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={VARIABLE: str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == status
    assert (tmp_path / ("here" + FIRED)).read_text().isdecimal()
