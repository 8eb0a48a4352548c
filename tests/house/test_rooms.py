"""README and the architecture page name the folders and files that are there, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.tree import ROOT, tracked_files

README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "explanation" / "architecture.md").read_text("utf-8")
ROOMS_OF_SRC = 3
ROOMS_ELSEWHERE = 2
MOST_FILES_TO_THE_EVENTS = 9
MOST_FILES_TO_THE_ROWS = 6


def rooms() -> set[str]:
    """Every second-level folder; in `src` those of the packages too."""
    found = set()
    for path in tracked_files():
        parts = path.relative_to(ROOT).parts[:-1]
        if parts and not parts[0].startswith("."):
            depth = ROOMS_OF_SRC if parts[0] == "src" else ROOMS_ELSEWHERE
            found |= {"/".join(parts[:n]) for n in range(2, min(len(parts), depth) + 1)}
    return found


def way(heading: str) -> list[str]:
    """The files on a numbered way of the architecture page, in order."""
    _, _, after = ARCHITECTURE.partition(heading)
    steps = re.search(r"\n\n((?:\d\. .*\n(?:   .*\n)*)+)", after)
    assert steps is not None
    return re.findall(r"^\d\. `([^`]+)`", steps[1], re.MULTILINE)


def test_the_readme_names_every_room_in_one_line() -> None:
    named = re.findall(r"^\| `([^`]+)/` \|", README, re.MULTILINE)
    assert sorted(named) == sorted(set(named))
    assert set(named) == rooms()


def test_the_architecture_names_every_room_of_the_packages() -> None:
    for package in (ROOT / "src").iterdir():
        _, _, after = ARCHITECTURE.partition(f"**`{package.name}`**")
        table = after.strip().split("\n\n")[1]
        named = set(
            re.findall(r"`(\w+)/?`", " ".join(re.findall(r"^\| (.+?) \|", table, re.MULTILINE)))
        )
        here = {path.stem for path in package.iterdir() if not path.name.startswith(("_", "py"))}
        missing = here - named - {"errors"}
        assert not missing, package.name
        assert not named - here, package.name


def test_the_ways_of_a_command_name_files_that_are_there_and_few_of_them() -> None:
    to_the_events = way("From the record to the committed events:")
    to_the_rows = way("From the committed events to the rows:")
    assert 0 < len(to_the_events) <= MOST_FILES_TO_THE_EVENTS
    assert 0 < len(to_the_rows) <= MOST_FILES_TO_THE_ROWS
    for name in (*to_the_events, *to_the_rows):
        assert Path(ROOT / name).is_file(), name


def test_every_place_the_architecture_names_is_there() -> None:
    for name in re.findall(r"`((?:src|tests|docs)/[\w/.]+)`", ARCHITECTURE):
        assert (ROOT / name).exists(), name
