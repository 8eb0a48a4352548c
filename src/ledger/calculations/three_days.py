"""Three days (最迟3个自然日): when an application without an answer is completed automatically."""

from __future__ import annotations

from ledger.values.instants import Instant, day_of, start_of_day


def completion_due_at(applied_at: Instant, days: int, time_zone: str) -> Instant:
    """The end of the last natural day after the application day.

    Source: seed 001 (最迟3个自然日后完成退款). By hand: applied 5 Jan 08:00 in Shanghai, 3 days:
    6, 7, 8 Jan; due at 9 Jan 00:00 there, which is 8 Jan 16:00 UTC.
    """
    return start_of_day(day_of(applied_at, time_zone) + 1 + days, time_zone)
