"""Runs the tests of the pure core and fails unless they take every one of its branches.

What belongs to the core is read from the import contract `pure-core`, so that there is one list.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from argparse import ArgumentParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/ledger", "tests/releases")


def main() -> int:
    """Run the tests, then judge what they covered; the arguments go to pytest."""
    _, for_pytest = ArgumentParser(description=__doc__, allow_abbrev=False).parse_known_args()
    fast = ("-q", "-m", "not integration and not slow")
    measured = ("--cov=ledger", "--cov-branch", "--cov-report=")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *fast, *measured, *TESTS, *for_pytest],
        cwd=ROOT,
        check=False,
    )
    return run.returncode or judge(ROOT, core_of(ROOT / "pyproject.toml"))


def core_of(pyproject: Path) -> list[str]:
    """The files of the core, as patterns for coverage."""
    contracts = tomllib.loads(pyproject.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (modules,) = (one["source_modules"] for one in contracts if one["id"] == "pure-core")
    paths = [f"src/{module.replace('.', '/')}" for module in modules]
    return [f"{path}{end}" for path in paths for end in (".py", "/*.py", "/**/*.py")]


def judge(folder: Path, include: list[str]) -> int:
    """0 if all lines and branches of those files were taken, by the figures in `.coverage`."""
    options = ("--fail-under=100", "--precision=2", "--skip-covered", "--show-missing")
    return subprocess.run(
        [sys.executable, "-m", "coverage", "report", *options, f"--include={','.join(include)}"],
        cwd=folder,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
