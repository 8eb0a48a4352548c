"""Rows are kept by the values of columns."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from projector.asking.matching import NoSuchValue, matching
from projector.questions import QUESTIONS

REFUNDS = QUESTIONS["refunds"]


def test_values_days_and_nothing() -> None:
    conditions, values = matching(
        REFUNDS,
        {
            "state": ["HELD", "SETTLED"],
            "issued_at": ["2026-01-31"],
            "settled_at": [None, "2026-01-01..2026-01-31"],
            "rule": [None],
            "ticket": [],
        },
    )
    assert conditions == [
        "(state::text = ANY(%(only_0)s))",
        "((issued_at >= %(first_1_0)s AND issued_at < %(until_1_0)s))",
        "(settled_at IS NULL OR (settled_at >= %(first_2_0)s AND settled_at < %(until_2_0)s))",
        "(rule IS NULL)",
        "(false)",
    ]
    assert values["only_0"] == ["HELD", "SETTLED"]
    assert values["first_1_0"] == datetime(2026, 1, 31, tzinfo=UTC)
    assert values["until_1_0"] == values["until_2_0"] == datetime(2026, 2, 1, tzinfo=UTC)
    assert values["first_2_0"] == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("issued_at", "yesterday"),
        ("issued_at", "2026-02-30"),
        ("issued_at", "2026-01-01..soon"),
        ("issued_at", "9999-12-31"),
        ("ticket", "a\0b"),
    ],
)
def test_a_value_that_no_row_can_have_is_named(column: str, text: str) -> None:
    with pytest.raises(NoSuchValue, match=column):
        matching(REFUNDS, {column: [text]})
