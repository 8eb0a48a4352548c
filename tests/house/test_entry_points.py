"""Make is the only entry point: it lists its targets, and the README and CI call them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.house.tree import ROOT


def targets() -> set[str]:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    return set(phony[1].split())


def test_help_lists_every_target() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^  make (\w+)", listed, re.MULTILINE)) == targets()


def test_ci_calls_the_readmes_test_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"\bmake test\b", readme)
    assert re.search(r"\bmake test\b", ci)


def test_every_make_command_in_the_readme_and_in_ci_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text += (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    text += (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    code = re.findall(r"(?:^|`|^ {4}|\d )make ([a-z]+)", text, re.MULTILINE)
    assert set(code) <= targets(), set(code) - targets()


def test_a_python_that_is_too_old_is_named_with_the_next_step(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or name)
    old = tools / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n')
    old.chmod(0o755)
    (tmp_path / "tools").mkdir()
    script = shutil.copy(ROOT / "tools" / "bootstrap", tmp_path / "tools" / "bootstrap")

    environment = {key: value for key, value in os.environ.items() if key != "PYTHON"}
    run = subprocess.run(
        [tools / "sh", script],
        env={**environment, "PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert run.stderr.startswith("error: Python 3.11 or newer is needed")
    assert "Python 3.9.2" in run.stderr
    assert "make PYTHON=" in run.stderr
