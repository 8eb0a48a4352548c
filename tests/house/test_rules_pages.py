"""The pages of rules name each rule once, and their numbers are the newest terms'."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest
from msgspec.structs import fields

from ledger.terms.table import Terms
from ledger.values.refusal import Code
from tests.house.tree import ROOT
from tools.reference.codes import HEADING

PAGES = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs" / "rules").glob("*.md")}
NUMBER = re.compile(r"^\| `([a-z_]+)` \| (.+) \|$", re.MULTILINE)
CODE = re.compile(r"`([A-Z]+(?:_[A-Z]+)*)`")


def newest_terms() -> dict[str, str]:
    """Every number of the newest version, by its name, its default included; tables left out."""
    files = sorted((ROOT / "src" / "ledger" / "terms").glob("*.toml"), key=lambda p: int(p.stem))
    raw = tomllib.loads(files[-1].read_text("utf-8"))
    defaults = {each.name: each.default for each in fields(Terms) if not each.required}
    flat = {**defaults, **raw, **raw["instances"], **raw["marketplace"], **raw["reservations"]}
    return {name: str(value) for name, value in flat.items() if isinstance(value, str | int)}


def test_no_rule_is_told_twice() -> None:
    told = Counter(rule for page in PAGES.values() for rule in HEADING.findall(page))
    assert [rule for rule, times in told.items() if times > 1] == []


@pytest.mark.parametrize("page", ["common", "instances", "marketplace", "reservations"])
def test_the_numbers_of_a_page_are_the_terms(page: str) -> None:
    told = dict(NUMBER.findall(PAGES[page].partition("## Numbers")[2]))
    assert told
    assert told == {name: newest_terms()[name] for name in told}


def test_every_number_of_the_terms_stands_on_a_page() -> None:
    told = {name for page in PAGES.values() for name, _ in NUMBER.findall(page)}
    assert set(newest_terms()) - told == {"version"}


@pytest.mark.parametrize("code", Code)
def test_every_code_is_told_on_a_page(code: Code) -> None:
    assert any(code in CODE.findall(page) for page in PAGES.values())
