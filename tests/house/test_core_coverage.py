"""The measure of the core's branches sees one that no test took, and knows what the core is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tools.core_coverage import core_of, judge

HALF = "def sign(n):\n    if n < 0:\n        return -1\n    return 1\n\n\nsign(1)\n"


@pytest.mark.parametrize(("last", "verdict"), [("", 2), ("sign(-1)\n", 0)])
def test_a_branch_not_taken_fails_it(tmp_path: Path, last: str, verdict: int) -> None:
    (tmp_path / "half.py").write_text(HALF + last)
    run = [sys.executable, "-m", "coverage", "run", "--branch", "half.py"]
    subprocess.run(run, cwd=tmp_path, check=True)
    assert judge(tmp_path, ["half.py"]) == verdict


def test_every_module_of_the_core_is_measured() -> None:
    measured = {path for pattern in core_of(ROOT / "pyproject.toml") for path in ROOT.glob(pattern)}
    parts = ("calculations", "policies", "decide", "state", "events", "postings", "terms", "money")
    for part in parts:
        assert any(part in path.parts or path.stem == part for path in measured), part
