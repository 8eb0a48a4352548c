"""What a CSV shows can be read back: no two texts give the same cell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projector.exports.columns import Column, Kind
from projector.exports.csv_file import shown

TEXT = Column(name="account_id", kind=Kind.TEXT)


def read_back(cell: str) -> str:
    return cell.removeprefix("'")


@pytest.mark.parametrize("text", ["+8613", "'+8613", "''", "'", "=1", "plain", "＝1"])
def test_a_text_is_what_is_read_back(text: str) -> None:
    assert read_back(shown(TEXT, text)) == text


@given(st.text(alphabet="'+=-@a1", max_size=4))
def test_any_text_is_what_is_read_back_and_no_formula(text: str) -> None:
    cell = shown(TEXT, text)
    assert read_back(cell) == text
    assert not cell.startswith(("+", "=", "-", "@"))
