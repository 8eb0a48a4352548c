"""Review period (复议期): until when a buyer can apply by self-service."""

from __future__ import annotations

from ledger.values.instants import Instant, day_of, start_of_day


def review_ends_at(purchased_at: Instant, days: int, time_zone: str) -> Instant:
    """The first instant after the review period: calendar days; the purchase day is day 1.

    Source: seed 001 (复议期). By hand: bought 5 Jan 23:30 in Shanghai, 5 days: 5, 6, 7, 8, 9 Jan;
    over at 10 Jan 00:00 there, which is 9 Jan 16:00 UTC.
    """
    return start_of_day(day_of(purchased_at, time_zone) + days, time_zone)
