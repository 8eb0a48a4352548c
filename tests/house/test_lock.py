"""The lock names every dependency once, with hashes, and no address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT, settings

LOCKS = (ROOT / "requirements.lock", ROOT / "tools" / "uv.txt")


def entries(lock: Path) -> list[tuple[Requirement, list[str]]]:
    """Each locked requirement and its hashes."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line.strip())
            found.append((Requirement(requirement), hashes))
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_entry_is_pinned_and_hashed(lock: Path) -> None:
    for requirement, hashes in entries(lock):
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        assert hashes, f"{requirement} has no hash"
        assert all(value.startswith("sha256:") for value in hashes), requirement


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_address_stands_in_the_lock(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert re.findall(r"https?:|--index|--extra-index|--find-links|\s@\s", text) == []


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    project = settings()
    locked = {
        canonicalize_name(requirement.name): requirement
        for requirement, _ in entries(ROOT / "requirements.lock")
    }
    asked = (
        project["project"]["dependencies"]
        + project["dependency-groups"]["dev"]
        + project["build-system"]["requires"]
    )
    for requirement in map(Requirement, asked):
        pin = locked.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement} is not in the lock; run `make lock`"
        (version,) = (specifier.version for specifier in pin.specifier)
        assert requirement.specifier.contains(version), f"{pin} is not {requirement}; `make lock`"
