"""The tests that a page names are there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.tree import ROOT
from tools.docs import markdown_files

NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")


def missing(text: str) -> list[str]:
    """Test files and tests that a text names, and that are not there."""
    return [
        f"{path}::{name}" if name else path
        for path, name in NAMED.findall(text)
        if not (ROOT / path).is_file() or (name and f"def {name}(" not in (ROOT / path).read_text())
    ]


def test_every_test_that_a_page_names_is_there() -> None:
    pages = [page for page in markdown_files() if page.name != "CHANGELOG.md"]
    assert {str(page): missing(page.read_text(encoding="utf-8")) for page in pages} == {
        str(page): [] for page in pages
    }


def test_each_guarantee_of_exactly_once_names_its_tests() -> None:
    page = (ROOT / "docs" / "explanation" / "exactly-once.md").read_text(encoding="utf-8")
    guaranteed = page.partition("## Guarantees")[2].partition("\n## ")[0]
    rows = [line for line in guaranteed.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    assert [row for row in rows if not NAMED.search(row)] == []


def test_a_test_that_is_not_there_is_found() -> None:
    this = Path(__file__).relative_to(ROOT)
    there, nowhere = f"{this}::test_a_test_that_is_not_there_is_found", f"{this}::test_of_nothing"
    assert missing(f"`{there}` `{nowhere}` `tests/nowhere.py`") == [nowhere, "tests/nowhere.py"]
