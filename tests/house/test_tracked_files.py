"""The tracked tree stands alone: it names no package registry and no place outside itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, tracked_files

# Put together from parts, so that this file does not name them either.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("maven", "google", "com"),
        ("npmjs", "org"),
        ("proxy", "golang", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("jfrog", "io"),
    )
)
OUTSIDE = tuple(
    "/".join(parts) for parts in (("..", "shared"), ("work", "shared"), ("work", "main"))
)


def names(path: Path, forbidden: tuple[str, ...]) -> Iterator[str]:
    """Each forbidden name in the file, with its line."""
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        for name in forbidden:
            if name.encode() in line:
                yield f"{path.relative_to(path.anchor)}:{number}: names {name}"


def test_no_file_names_a_registry() -> None:
    assert [found for path in tracked_files() for found in names(path, HOSTS)] == []


def test_no_file_names_a_place_outside_the_tree() -> None:
    assert [found for path in tracked_files() for found in names(path, OUTSIDE)] == []


def test_a_named_registry_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.txt"
    planted.write_text(f"first\nindex = {HOSTS[0]}\n", encoding="utf-8")
    assert [found.rpartition("/")[2] for found in names(planted, HOSTS)] == [
        f"planted.txt:2: names {HOSTS[0]}"
    ]


def test_every_typed_package_says_so() -> None:
    packages = sorted(path.parent for path in (ROOT / "src").glob("*/__init__.py"))
    assert [package.name for package in packages if not (package / "py.typed").exists()] == []
