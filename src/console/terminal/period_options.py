"""Reads the period of a query: days or instants; the first is included, the last is not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from ledger.values.instants import Instant

From = Annotated[
    str | None,
    typer.Option("--from", metavar="WHEN", help="Recorded from this day or instant on (UTC)."),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="WHEN", help="Recorded before this day or instant (UTC)."),
]


def period(since: str | None, until: str | None) -> tuple[Instant | None, Instant | None]:
    """Both ends as instants. Raises BadInput if one is malformed or the period is empty."""
    begins, ends = _instant("--from", since), _instant("--to", until)
    if begins is not None and ends is not None and begins >= ends:
        raise BadInput(f"the period ends (--to {until}) before it begins (--from {since})")
    return begins, ends


def _instant(option: str, text: str | None) -> Instant | None:
    from ledger.values.instants import from_datetime, parse_instant

    if text is None:
        return None
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            return from_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC))
        return parse_instant(text)
    except ValueError:
        raise BadInput(
            f"{option} {text}: expected a day such as 2026-01-31, or an instant such as "
            "2026-01-31T08:00:00Z"
        ) from None
