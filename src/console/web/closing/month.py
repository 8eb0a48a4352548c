"""A month in UTC, as `2026-01`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from msgspec import Struct

from ledger.values.instants import Instant, from_datetime

_FORM = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)


class Month(Struct, frozen=True, kw_only=True):
    """A year and a month, 1 to 12."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def first_day(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def next(self) -> Month:
        """The month after it."""
        if self.number == 12:
            return Month(year=self.year + 1, number=1)
        return Month(year=self.year, number=self.number + 1)

    @property
    def begins(self) -> Instant:
        """Its first instant."""
        return from_datetime(datetime(self.year, self.number, 1, tzinfo=UTC))

    @property
    def ends(self) -> Instant:
        """The first instant after it."""
        return self.next.begins

    @property
    def lock(self) -> int:
        """Its number among all months, for an advisory lock."""
        return self.year * 12 + self.number


def month_of(text: str) -> Month | None:
    """The month; None for a text that names none between 1970 and 9998."""
    found = _FORM.fullmatch(text)
    if found is None or not 1970 <= int(found[1]) <= 9998:
        return None
    return Month(year=int(found[1]), number=int(found[2]))
