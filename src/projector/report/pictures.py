"""Draws the charts of a report; each title says what the chart shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from projector.report.figures import Figures, Refunded

Axes = Any
"""A matplotlib type; it is not imported here, because it is optional."""

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#555555")
"""Colours that colour-blind people can distinguish (Okabe and Ito)."""
_TOP = 12


class Picture(Struct, frozen=True, kw_only=True):
    """A chart: its title, its drawing function, its number of bars, and its table."""

    title: str
    draw: Callable[[Axes], None]
    bars: int
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def pictures(told: Figures) -> tuple[Picture, ...]:
    """Every chart of the report, in order; refunds have one for each currency."""
    currencies = sorted({each.currency for each in told.refunded})
    of_currency = [[each for each in told.refunded if each.currency == c] for c in currencies]
    refunds = [_refunds(each, c) for each, c in zip(of_currency, currencies, strict=True)]
    return (*refunds, _caps(told), _bin(told), _refusals(told))


def _refunds(found: Sequence[Refunded], currency: str) -> Picture:
    months = _months(min(each.month for each in found), max(each.month for each in found))
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(months, Decimal(0)))
    for each in found:
        sums[each.rule][each.month] += each.amount
    total = sum((each.amount for each in found), Decimal(0))
    rules = sorted(sums, key=lambda rule: (-sum(sums[rule].values()), rule))

    def draw(axes: Axes) -> None:
        below = dict.fromkeys(months, Decimal(0))
        for rule, colour in zip(rules, COLOURS * (len(rules) // len(COLOURS) + 1), strict=False):
            heights = [float(sums[rule][month]) for month in months]
            bottoms = [float(below[month]) for month in months]
            axes.bar(months, heights, 0.6, bottom=bottoms, color=colour, label=_words(rule))
            for month in months:
                below[month] += sums[rule][month]
        axes.set_ylabel(f"refunded, {currency}")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("month in which the refund was recorded (UTC)")
        axes.set_xlim(-0.75, max(len(months), 3) - 0.25)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))

    return Picture(
        title=f"{total:,f} {currency} went back, most of it by {_words(rules[0])}",
        draw=draw,
        bars=6,
        head=("month", "rule", f"amount, {currency}", "refunds"),
        rows=tuple((e.month, _words(e.rule), f"{e.amount:,f}", str(e.refunds)) for e in found),
    )


def _caps(told: Figures) -> Picture:
    used = told.caps[:_TOP]
    over = sum(each.used_usd > each.cap_usd for each in told.caps)
    first = f"{used[0].account_id} has used the most of its cap" if used else "No cap is in use"

    def draw(axes: Axes) -> None:
        names = [_short(each.account_id) for each in used]
        axes.barh(names, [float(each.used_usd) for each in used], 0.6, color=COLOURS[0])
        axes.invert_yaxis()
        axes.axvline(float(used[0].cap_usd), color=COLOURS[5], linestyle="--")
        axes.annotate(
            f"cap {used[0].cap_usd:,.0f}",
            (float(used[0].cap_usd), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-4, 4),
            textcoords="offset points",
            ha="right",
            color=COLOURS[5],
        )
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("used of the rolling cap at the end of the period, USD")

    return Picture(
        title=f"{first}; {over} {'account is' if over == 1 else 'accounts are'} over theirs"
        if over
        else first,
        draw=draw,
        bars=len(used),
        head=("account", "used, USD", "cap, USD"),
        rows=tuple((e.account_id, f"{e.used_usd:,.2f}", f"{e.cap_usd:,.2f}") for e in told.caps),
    )


def _bin(told: Figures) -> Picture:
    count = sum(each.instances for each in told.binned)
    reasons = sorted({each.reason for each in told.binned})
    days = range(max((each.days for each in told.binned), default=0) + 1)

    def draw(axes: Axes) -> None:
        below = dict.fromkeys(days, 0)
        for reason, colour in zip(reasons, COLOURS, strict=False):
            here = {e.days: e.instances for e in told.binned if e.reason == reason}
            heights = [here.get(day, 0) for day in days]
            axes.bar(
                days, heights, 0.6, bottom=[*below.values()], color=colour, label=_words(reason)
            )
            below = {day: below[day] + here.get(day, 0) for day in days}
        axes.set_xlabel("whole days in the recycle bin at the end of the period")
        axes.set_ylabel("instances")
        axes.set_xlim(-0.75, max(len(days), 8) - 0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))

    many = f"{count} instances lie" if count != 1 else "1 instance lies"
    return Picture(
        title=f"{many} in the recycle bin" if count else "The recycle bin is empty",
        draw=draw,
        bars=6 if count else 0,
        head=("days", "reason", "instances"),
        rows=tuple((str(e.days), _words(e.reason), str(e.instances)) for e in told.binned),
    )


def _refusals(told: Figures) -> Picture:
    shown = told.refused[:_TOP]
    count = sum(each.refusals for each in told.refused)
    first = f", most often by {_words(shown[0].rule)}" if shown else ""

    def draw(axes: Axes) -> None:
        names = [f"{_words(each.rule)}\n{each.code}" for each in shown]
        bars = axes.barh(names, [each.refusals for each in shown], 0.6, color=COLOURS[5])
        axes.bar_label(bars, padding=4)
        axes.invert_yaxis()
        axes.set_xlabel("rules violated by refused commands")
        axes.xaxis.get_major_locator().set_params(integer=True)

    return Picture(
        title=f"{count} violations were refused{first}" if count else "Nothing was refused",
        draw=draw,
        bars=len(shown),
        head=("rule", "code", "violations", "accounts"),
        rows=tuple(
            (_words(e.rule), e.code, str(e.refusals), str(e.accounts)) for e in told.refused
        ),
    )


def _months(first: str, last: str) -> list[str]:
    """Every month from `2025-12` to `2026-03`, also those without a refund."""
    ends = [int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last)]
    return [f"{each // 12}-{each % 12 + 1:02}" for each in range(ends[0], ends[1] + 1)]


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
