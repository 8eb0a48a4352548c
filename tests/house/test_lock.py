"""The lock names every dependency once, with hashes, and no address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT, settings
from tools.dependencies import closure, extras, required

WHOLE = ROOT / "requirements.lock"
IMAGE, BUILD, UV = (ROOT / "tools" / f"{name}.txt" for name in ("image", "build", "uv"))
LOCKS = (WHOLE, IMAGE, BUILD, UV)


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


@pytest.mark.parametrize("lock", [IMAGE, BUILD], ids=lambda lock: lock.name)
def test_a_part_has_the_same_files_as_the_whole(lock: Path) -> None:
    whole = {requirement.name: (str(requirement.specifier), h) for requirement, h in entries(WHOLE)}
    part = {requirement.name: (str(requirement.specifier), h) for requirement, h in entries(lock)}
    assert part == {name: whole[name] for name in part}


def test_the_image_has_what_the_processes_need_and_no_extra() -> None:
    locked = {canonicalize_name(requirement.name) for requirement, _ in entries(IMAGE)}
    here = {
        canonicalize_name(requirement.name)
        for requirement, _ in entries(IMAGE)
        if requirement.marker is None or requirement.marker.evaluate()
    }
    assert here == closure(required())
    assert locked.isdisjoint(canonicalize_name(Requirement(text).name) for text in optional())


def optional() -> list[str]:
    """What the extras ask for."""
    return [text for asked in extras().values() for text in asked]


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    locked = {canonicalize_name(requirement.name): requirement for requirement, _ in entries(WHOLE)}
    dev = [text for text in settings()["dependency-groups"]["dev"] if isinstance(text, str)]
    asked = [*required(), *optional(), *dev, *settings()["build-system"]["requires"]]
    for requirement in map(Requirement, asked):
        pin = locked.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement} is not in the lock; run `make lock`"
        (version,) = (specifier.version for specifier in pin.specifier)
        assert requirement.specifier.contains(version), f"{pin} is not {requirement}; `make lock`"
