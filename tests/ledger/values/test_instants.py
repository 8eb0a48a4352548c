"""Instants and days: text to micros and back, and the calendar of a zone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.values.instants import (
    DAY,
    HOUR,
    LATEST,
    SECOND,
    add_months,
    as_date,
    day_of,
    format_day,
    format_instant,
    parse_day,
    parse_instant,
    plus_months,
    start_of_day,
    whole_months,
)

SHANGHAI = "Asia/Shanghai"
BERLIN = "Europe/Berlin"
INSTANTS = st.integers(0, LATEST - 400 * 366 * DAY)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T00:00:00.5Z", SECOND // 2),
        ("1970-01-01t01:00:00+01:00", 0),
        ("2026-01-05T08:00:00Z", 1_767_600_000 * SECOND),
        ("2026-01-05T16:00:00+08:00", 1_767_600_000 * SECOND),
        ("9999-12-31T23:59:59Z", LATEST),
    ],
)
def test_rfc_3339_is_read(text: str, instant: int) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T08:00:00",
        "2026-01-05 08:00:00Z",
        "2026-01-05",
        "2026-02-30T00:00:00Z",
        "2026-01-05T24:00:01Z",
        "2026-01-05T08:00:00.0000001Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59.000001Z",
        "２０２６-01-05T08:00:00Z",
        "",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(text)


@settings(derandomize=True)
@given(st.integers(0, LATEST))
def test_an_instant_written_is_the_instant_read(instant: int) -> None:
    assert parse_instant(format_instant(instant)) == instant


def test_a_fraction_is_written_only_where_there_is_one() -> None:
    assert format_instant(0) == "1970-01-01T00:00:00Z"
    assert format_instant(1) == "1970-01-01T00:00:00.000001Z"


def test_days_are_counted_from_1970() -> None:
    assert parse_day("1970-01-02") == 1
    assert format_day(20_458) == "2026-01-05"
    assert as_date(parse_day("2024-02-29")).isoformat() == "2024-02-29"


@pytest.mark.parametrize("text", ["2026-1-5", "20260105", "2026-02-30", "2026-W01-1", ""])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_day(text)


def test_shanghai_is_eight_hours_ahead_of_utc() -> None:
    last = parse_instant("2026-01-05T15:59:59.999999Z")
    assert format_day(day_of(last, SHANGHAI)) == "2026-01-05"
    assert format_day(day_of(last + 1, SHANGHAI)) == "2026-01-06"
    assert start_of_day(parse_day("2026-01-06"), SHANGHAI) == last + 1


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2026-01-31", 12, "2027-01-31"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-15", 0, "2026-01-15"),
    ],
)
def test_months_are_clipped_to_their_end(day: str, months: int, later: str) -> None:
    assert format_day(add_months(parse_day(day), months)) == later


def test_a_month_is_over_to_the_microsecond() -> None:
    start = parse_instant("2026-01-30T16:00:00Z")  # 31 Jan 00:00 in Shanghai
    end = parse_instant("2026-02-27T16:00:00Z")  # 28 Feb 00:00 there: clipped
    assert plus_months(start, 1, SHANGHAI) == end
    assert whole_months(start, end, SHANGHAI) == 1
    assert whole_months(start, end - 1, SHANGHAI) == 0


def test_the_zone_decides_where_a_month_ends() -> None:
    start, end = parse_instant("2026-01-31T16:30:00Z"), parse_instant("2026-02-28T16:30:00Z")
    assert whole_months(start, end, SHANGHAI) == 1  # 1 Feb 00:30 to 1 Mar 00:30
    assert whole_months(start, end, "UTC") == 1  # 31 Jan 16:30 to 28 Feb 16:30, clipped
    assert whole_months(start, end - HOUR, SHANGHAI) == 0


def test_no_months_lie_before_the_start() -> None:
    assert whole_months(DAY, 0, SHANGHAI) == 0
    assert whole_months(DAY, DAY, SHANGHAI) == 0


def test_summer_time_keeps_the_local_time() -> None:
    start = parse_instant("2026-03-15T11:00:00Z")  # 12:00 in Berlin, winter
    assert format_instant(plus_months(start, 1, BERLIN)) == "2026-04-15T10:00:00Z"


@settings(derandomize=True, deadline=None)
@given(INSTANTS, st.integers(0, 600))
def test_so_many_months_later_are_so_many_whole_months(start: int, months: int) -> None:
    end = plus_months(start, months, "UTC")
    assert whole_months(start, end, "UTC") == months
    if months:
        assert whole_months(start, end - 1, "UTC") == months - 1
