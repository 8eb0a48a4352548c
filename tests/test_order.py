"""What takes longest is begun first, and what is said to take longest is there."""

from __future__ import annotations

from pathlib import Path

from tests.order import LONGEST, places

ROOT = Path(__file__).parent.parent


def test_every_file_that_is_begun_first_is_there() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []


def test_the_longest_come_first_then_those_on_services_then_those_with_most_tests() -> None:
    files = ["few.py", "many.py", "many.py", "real.py", LONGEST[1], LONGEST[0]]
    found = places(files, {"real.py", LONGEST[1]})
    assert sorted(found, key=found.__getitem__) == [
        LONGEST[0],
        LONGEST[1],
        "real.py",
        "many.py",
        "few.py",
    ]
