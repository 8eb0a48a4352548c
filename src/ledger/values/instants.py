"""Instants and days as plain integers, and the calendar arithmetic that the rules need."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta

Instant = Annotated[int, Meta(extra={"unit": "instant"})]
"""Microseconds since 1970-01-01T00:00:00Z."""

Day = Annotated[int, Meta(extra={"unit": "day"})]
"""Days since 1970-01-01."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EARLIEST: Instant = 0
LATEST: Instant = 253_402_300_799 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE = datetime(1970, 1, 1)  # noqa: DTZ001  # its text shall name no zone
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def parse_instant(text: str) -> Instant:
    """`2026-01-05T08:00:00Z` → micros. RFC 3339 with a zone and at most six decimals, from 1970 to
    9999; otherwise ValueError.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"not an RFC 3339 instant: {text!r}")
    instant = from_datetime(datetime.fromisoformat(text.upper()))
    if not EARLIEST <= instant <= LATEST:
        raise ValueError(f"outside 1970..9999: {text!r}")
    return instant


def format_instant(instant: Instant) -> str:
    """Micros → RFC 3339 in UTC; with a fraction only if it is not zero."""
    return f"{(_EPOCH_WITHOUT_ZONE + timedelta(microseconds=instant)).isoformat()}Z"


def as_datetime(instant: Instant) -> datetime:
    """Micros → an aware `datetime` in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def from_datetime(moment: datetime) -> Instant:
    """An aware `datetime` → micros."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def parse_day(text: str) -> Day:
    """`2026-01-05` → days since 1970-01-01, otherwise ValueError."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError(f"not an ISO 8601 day: {text!r}")
    return date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL


def as_date(day: Day) -> date:
    """Days since 1970-01-01 → `date`."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def format_day(day: Day) -> str:
    """Days since 1970-01-01 → ISO 8601."""
    return as_date(day).isoformat()


def day_of(instant: Instant, zone: str) -> Day:
    """The calendar day of an instant in a zone."""
    return as_datetime(instant).astimezone(ZoneInfo(zone)).toordinal() - _EPOCH_ORDINAL


def start_of_day(day: Day, zone: str) -> Instant:
    """The first instant of a calendar day in a zone."""
    return from_datetime(datetime.combine(as_date(day), datetime.min.time(), ZoneInfo(zone)))


def add_months(day: Day, months: int) -> Day:
    """The same day of a later month, or its last day: 31 Jan + 1 month = 28 or 29 Feb."""
    start = as_date(day)
    year, month_index = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month_index + 1)[1]
    clipped = date(year, month_index + 1, min(start.day, last))
    return clipped.toordinal() - _EPOCH_ORDINAL


@lru_cache(maxsize=1024)
def plus_months(instant: Instant, months: int, zone: str) -> Instant:
    """The same local time some calendar months later; the day is as in `add_months`.

    Remembered, because `whole_months` and its callers ask for the same one after the other.
    """
    tz = ZoneInfo(zone)
    local = as_datetime(instant).astimezone(tz)
    target = as_date(add_months(local.toordinal() - _EPOCH_ORDINAL, months))
    return from_datetime(datetime.combine(target, local.time(), tz))


def begun_days(start: Instant, end: Instant) -> int:
    """How many days of 24 hours have begun between the two; 0 if `end` is not after `start`.

    72 h are three days; a microsecond more begins the fourth.
    """
    return max(0, -(-(end - start) // DAY))


def whole_months(start: Instant, end: Instant, zone: str) -> int:
    """The number of whole calendar months between, in the zone; 0 if `end` is before `start`.

    31 Jan 00:00 to 28 Feb 00:00 is one month (see `add_months`); a microsecond less is none.
    """
    if end < start:
        return 0
    tz = ZoneInfo(zone)
    first, last = as_datetime(start).astimezone(tz), as_datetime(end).astimezone(tz)
    months = (last.year - first.year) * 12 + last.month - first.month
    return months if plus_months(start, months, zone) <= end else months - 1
