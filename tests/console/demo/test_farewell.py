"""What the demonstration tells a newcomer to type is found by the shell."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from console.demo import _farewell
from console.demo.narrator import Narrator
from devstack import State, Status


@pytest.mark.parametrize("found", [True, False])
def test_a_shell_that_does_not_find_the_program_is_told_where_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: bool,
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    if found:
        program = folder / "refundctl"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", "/far/.venv/bin/python")

    seen = Status(state=State.RUNNING, home=Path("/home/a"))
    _farewell(Narrator(), seen, keep=True, seconds=1.0)

    told = capsys.readouterr().out
    assert "refundctl status" in told
    assert ('export PATH="/far/.venv/bin:$PATH"' in told) is not found
