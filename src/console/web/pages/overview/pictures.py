"""Pictures as SVG, made on the server: bars of days, one colour a rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

WIDTH, HEIGHT, FOOT = 720, 160, 18
_GAP = 0.25


class Bar(Struct, frozen=True, kw_only=True):
    """A rectangle: what it counts, where it stands, and the class of its colour."""

    words: str
    count: int
    x: float
    y: float
    width: float
    height: float
    series: int


class Picture(Struct, frozen=True, kw_only=True):
    """Stacked bars by day, the names of their series, and the words below."""

    bars: tuple[Bar, ...]
    series: tuple[str, ...]
    labels: tuple[tuple[float, str], ...]
    highest: int
    width: int = WIDTH
    height: int = HEIGHT + FOOT


def stacked(days: Sequence[tuple[date, dict[str, int]]], last: date, slots: int) -> Picture | None:
    """The picture of counts by day and series, of so many days up to the last one; None of none."""
    if not days:
        return None
    series = sorted({name for _, counts in days for name in counts})
    first = last - timedelta(days=slots - 1)
    highest = max(sum(counts.values()) for _, counts in days)
    slot = WIDTH / slots
    bars: list[Bar] = []
    for day, counts in days:
        x, top = (day - first).days * slot + slot * _GAP / 2, float(HEIGHT)
        for name in series:
            if count := counts.get(name, 0):
                height = count / highest * HEIGHT
                top -= height
                bars.append(
                    Bar(
                        words=f"{day.isoformat()} {name}",
                        count=count,
                        x=round(x, 2),
                        y=round(top, 2),
                        width=round(slot * (1 - _GAP), 2),
                        height=round(height, 2),
                        series=series.index(name),
                    )
                )
    labels = tuple(
        (round((place + 0.5) * slot, 2), (first + timedelta(days=place)).strftime("%m-%d"))
        for place in range(0, slots, max(1, slots // 7))
    )
    return Picture(bars=tuple(bars), series=tuple(series), labels=labels, highest=highest)
