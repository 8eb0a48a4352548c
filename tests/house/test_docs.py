"""The pages are current, their links lead somewhere, and the glossary is in order."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.tree import ROOT
from tools import docs


def test_every_generated_page_is_current() -> None:
    assert list(docs.stale_pages()) == []


def test_every_relative_link_leads_somewhere() -> None:
    assert list(docs.dead_links(docs.markdown_files())) == []


def test_a_dead_link_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[here](page.md) [there](nowhere.md#part)\n", encoding="utf-8")
    (fault,) = docs.dead_links([page])
    assert fault.endswith("page.md: links to nowhere.md#part, which does not exist")


def test_the_glossary_names_each_term_once_in_alphabetical_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = [term.casefold() for term in re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)][1:]
    assert terms == sorted(set(terms))
