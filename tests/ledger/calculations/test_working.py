"""Working: exact numbers written so that a person can redo the sum."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ledger.calculations.working import decimal_text, exact_minor


@pytest.mark.parametrize(
    ("exact", "text"),
    [
        (Fraction(2016), "20.16"),
        (Fraction(4033, 2), "20.16 and 0.5 minor units"),
        (Fraction(201_600, 100) + Fraction(1, 10**12), "20.16 and 0.000000000001 minor units"),
        (Fraction(806_401, 7), "806401/7 minor units"),
    ],
)
def test_a_part_of_a_unit_is_told_exactly(exact: Fraction, text: str) -> None:
    assert exact_minor(exact, "CNY") == text


@pytest.mark.parametrize(
    ("exact", "text"),
    [(Fraction(1, 4), "0.25"), (Fraction(1), "1"), (Fraction(10), "10"), (Fraction(0), "0")],
)
def test_a_decimal_is_told_as_people_write_it(exact: Fraction, text: str) -> None:
    assert decimal_text(exact) == text
