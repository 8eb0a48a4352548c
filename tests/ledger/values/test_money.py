"""Money: digits from ISO 4217, one rounding, parts that sum to the whole, decimal strings."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.values import money
from ledger.values.money import (
    MAX_MICROS,
    MAX_MINOR,
    exact_sum,
    format_micros,
    format_minor,
    instalment,
    minor_of_micros,
    parse_decimal12,
    parse_micros,
    parse_minor,
    round_half_up,
    split,
)

AMOUNTS = st.integers(-MAX_MINOR, MAX_MINOR)
CODES = st.sampled_from(sorted(money.CURRENCY_DIGITS))


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        (Fraction(1, 2), 1),
        (Fraction(225, 2), 113),
        (Fraction(249, 100), 2),
        (Fraction(-1, 2), 0),
        (Fraction(-3, 2), -1),
        (7, 7),
    ],
)
def test_a_half_goes_up(exact: Fraction | int, rounded: int) -> None:
    assert round_half_up(exact) == rounded


def test_two_fifty_is_split_as_the_worked_example_says() -> None:
    assert split(250, (50, 45, 5)) == (125, 113, 12)


def test_nothing_and_a_single_part_can_be_split() -> None:
    assert split(0, (1, 2)) == (0, 0)
    assert split(99, (1,)) == (99,)
    assert split(99, (0, 0)) == (0, 99)


@settings(derandomize=True)
@given(st.integers(0, MAX_MINOR), st.lists(st.integers(1, 10**9), min_size=1, max_size=5))
def test_the_parts_sum_to_the_whole(total: int, weights: list[int]) -> None:
    assert sum(split(total, weights)) == total


@given(st.lists(st.fractions() | st.integers()))
def test_exact_numbers_are_summed_as_fractions_are(parts: list[Fraction | int]) -> None:
    total = exact_sum(parts)
    assert total == sum(parts)
    assert isinstance(total, int) == (total.denominator == 1)


@settings(derandomize=True)
@given(st.integers(0, MAX_MINOR), st.integers(1, 36))
def test_the_instalments_sum_to_the_total(total: int, count: int) -> None:
    due = [instalment(total, number, count) for number in range(1, count + 1)]
    assert sum(due) == total
    assert max(due) - min(due) <= 1


def test_a_hundred_in_three_instalments_is_33_34_33() -> None:
    assert [instalment(100, number, 3) for number in (1, 2, 3)] == [33, 34, 33]


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1413.92", "CNY", 141_392),
        ("1413.9", "CNY", 141_390),
        ("5000", "JPY", 5000),
        ("1.234", "KWD", 1234),
        ("-12.30", "USD", -1230),
        ("1.2345", "CLF", 12_345),
        ("0", "CNY", 0),
    ],
)
def test_amounts_are_read_in_the_digits_of_their_currency(
    text: str, currency: str, minor: int
) -> None:
    assert parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.5", "JPY"),
        ("1.234", "CNY"),
        ("1.2345", "KWD"),
        ("1,00", "CNY"),
        ("01.00", "CNY"),
        (".5", "CNY"),
        ("1.", "CNY"),
        ("1e2", "CNY"),
        ("+1", "CNY"),
        ("NaN", "CNY"),
        ("", "CNY"),
        ("１.00", "CNY"),
        ("1000000000000.01", "CNY"),
        ("1.00", "XXX"),
        ("1.00", "cny"),
        ("9" * 41, "CNY"),
    ],
)
def test_what_is_no_amount_of_the_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|beyond|unknown currency"):
        parse_minor(text, currency)


def test_the_largest_amount_is_read_and_the_next_is_not() -> None:
    assert parse_minor("1000000000000.00", "CNY") == MAX_MINOR
    assert parse_micros("1000000000") == MAX_MICROS
    with pytest.raises(ValueError, match="beyond"):
        parse_micros("1000000000.000001")


@settings(derandomize=True)
@given(AMOUNTS, CODES)
def test_an_amount_written_is_the_amount_read(amount: int, currency: str) -> None:
    assert parse_minor(format_minor(amount, currency), currency) == amount


@settings(derandomize=True)
@given(st.integers(-MAX_MICROS, MAX_MICROS), CODES)
def test_a_price_written_is_the_price_read(price: int, currency: str) -> None:
    assert parse_micros(format_micros(price, currency)) == price


@pytest.mark.parametrize(
    ("price", "currency", "text"),
    [
        (63_000, "CNY", "0.063"),
        (420_000, "CNY", "0.42"),
        (51_000_000, "CNY", "51.00"),
        (12_000_000, "JPY", "12"),
        (12_500_000, "JPY", "12.5"),
        (1_500_000, "KWD", "1.500"),
        (-500_000, "CNY", "-0.50"),
    ],
)
def test_a_price_has_the_decimals_of_its_currency_or_more(
    price: int, currency: str, text: str
) -> None:
    assert format_micros(price, currency) == text


def test_a_factor_is_exact() -> None:
    assert parse_decimal12("0.88") == Fraction(22, 25)
    assert parse_decimal12("0.000000000001") == Fraction(1, 10**12)
    with pytest.raises(ValueError, match="12 decimals"):
        parse_decimal12("0.0000000000001")


def test_micros_become_minor_units_by_the_digits_of_the_currency() -> None:
    assert minor_of_micros(420_000, "CNY") == 42
    assert minor_of_micros(420_000, "JPY") == Fraction(42, 100)
    assert minor_of_micros(420_000, "KWD") == 420


def test_the_currencies_where_cldr_disagrees_follow_iso() -> None:
    digits = {code: money.currency_digits(code) for code in ("IQD", "UYW", "AFN", "LBP", "CLF")}
    assert digits == {"IQD": 3, "UYW": 4, "AFN": 2, "LBP": 2, "CLF": 4}
