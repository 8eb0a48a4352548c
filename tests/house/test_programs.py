"""Every program of ours tells what it does when asked, and refuses what it does not know."""

from __future__ import annotations

import ast
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pytest

from tests.console.forked import program as run_forked
from tests.house.tree import ROOT

OTHERS = {
    "benchmarks/audit.py": "it calls itself with --measure",
    "tools/core_coverage.py": "what it does not know is for pytest",
}
"""Programs whose unknown arguments mean something."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def programs() -> list[str]:
    """The files that are run, of all rooms but the product's own commands."""
    found = [
        path
        for room in ("tests", "benchmarks", "tools")
        for path in sorted((ROOT / room).rglob("*.py"))
        if '\nif __name__ == "__main__":\n' in path.read_text(encoding="utf-8")
    ]
    found += [ROOT / "src/ledger/wire/avro/schema_derivation.py"]
    found += [ROOT / "src/devstack/kafka/relock.py"]
    return [str(path.relative_to(ROOT)) for path in found]


def module_of(program: str) -> str:
    """As `python -m` takes it."""
    return (
        program.removeprefix("src/").removesuffix(".py").removesuffix("/__main__").replace("/", ".")
    )


def from_nothing(program: str, argument: str) -> subprocess.CompletedProcess[str]:
    """Run it as a module."""
    command = [sys.executable, "-m", module_of(program), argument]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def forked(program: str, argument: str) -> subprocess.CompletedProcess[str]:
    """The same, from a process that has imported much of what it needs."""
    return run_forked(module_of(program), (argument,))


def doc_of(program: str) -> str:
    """The first sentence of its docstring."""
    doc = ast.get_docstring(ast.parse((ROOT / program).read_text(encoding="utf-8")))
    assert doc, program
    return " ".join(doc.split("\n\n")[0].split())


def test_every_program_prints_its_docstring_when_asked_for_help() -> None:
    found = programs()
    assert "tests/torture/__main__.py" in found
    for option, called in (("--help", from_nothing), ("-h", forked)):
        with ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(called, found, repeat(option)))
        wrong = [
            f"{program} {option}: {run.stdout[-300:]}{run.stderr[-300:]}"
            for program, run in zip(found, runs, strict=True)
            if run.returncode or doc_of(program) not in " ".join(run.stdout.split())
        ]
        assert not wrong, "\n".join(wrong)


def test_no_program_begins_with_an_argument_that_it_does_not_know() -> None:
    found = [each for each in programs() if each not in OTHERS]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(forked, found, repeat("--no-such-thing")))
    wrong = [
        f"{program}: {run.returncode} {run.stderr[-300:]}"
        for program, run in zip(found, runs, strict=True)
        if run.returncode != 2 or "usage:" not in run.stderr
    ]
    assert not wrong, "\n".join(wrong)
