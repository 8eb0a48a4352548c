"""The page on the decider's entities names each of them."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.state.entities import Entity

PAGE = Path(__file__).parents[2] / "docs/explanation/state.md"


def test_every_entity_stands_in_the_table_with_a_bound() -> None:
    rows = re.findall(r"^\| (.+?) \|.*\| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    named = {name for cell, bound in rows if bound for name in re.findall(r"`(\w+)`", cell)}
    assert {kind.__name__ for kind in Entity.__args__} <= named
