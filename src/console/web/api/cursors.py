"""Cursors: where the next page of a list begins, as a text that only this program reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from urllib.parse import urlencode

from console.web.problems import Problem
from ledger.values.instants import format_instant
from projector.asking.queries import Moment, Place

LONGEST = 4_000


def cursor_of(name: str, place: Place) -> str:
    """The cursor of the rows after a place of a list."""
    return base64.urlsafe_b64encode(json.dumps([name, *place]).encode()).decode().rstrip("=")


def place_of(name: str, cursor: str | None, parts: int | None = None) -> Place | None:
    """The place that a cursor of the list names, of so many parts. Problem for any other text."""
    if cursor is None:
        return None
    try:
        padded = cursor[:LONGEST] + "=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        found = []
    sized = parts is None or len(found) == parts + 1
    if "\0" in "".join(found) or found[:1] != [name] or not sized:
        raise Problem(
            400,
            "The request cannot be read",
            f"cursor: this is none of {name}; take the one of the page before, or leave it out",
        )
    return tuple(found[1:])


def link_to_next(path: str, asked: Mapping[str, str], at: Moment | None, cursor: str) -> str:
    """The header that leads to the next page, of the same past where a past was asked about."""
    values = {**asked, "cursor": cursor}
    if at is not None:
        values |= {"as_of": format_instant(at.as_of), "known_at": format_instant(at.known_at)}
    return f'<{path}?{urlencode(values)}>; rel="next"'
