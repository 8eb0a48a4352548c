"""A webhook, and what it has not taken, as the pages show them: instants as texts."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from console.web.pages.rendering.languages import N_
from consumers.webhooks.keeping import Shown, Trouble
from ledger.values.instants import Instant, format_instant, from_datetime

STATES = (N_("active"), N_("away"), N_("paused"), N_("ended"), N_("waiting"), N_("dead"))
"""Of a hook, and of its accounts."""


class ShownHook(Struct, frozen=True, kw_only=True):
    """A hook; `found` has its counts, and the rest are instants, empty where there is none."""

    found: Shown
    last_sent_at: str
    waits_since: str
    dead_since: str
    made_at: str
    paused_at: str
    ended_at: str
    previous_until: str


class ShownTrouble(Struct, frozen=True, kw_only=True):
    """An account whose next event was not taken; no account for a test delivery."""

    account_id: str
    state: str
    tries: int
    since: str
    next_try: str
    said: str


def hook_row(found: Shown) -> ShownHook:
    """A hook as a row."""
    return ShownHook(
        found=found,
        last_sent_at=_instant(found.last_sent_at),
        waits_since=_instant(found.waits_since),
        dead_since=_instant(found.dead_since),
        made_at=_moment(found.made_at),
        paused_at=_moment(found.paused_at),
        ended_at=_moment(found.ended_at),
        previous_until=_moment(found.previous_until),
    )


def trouble_row(found: Trouble) -> ShownTrouble:
    """What a hook has not taken, as a row."""
    return ShownTrouble(
        account_id=found.account_id,
        state=found.state.lower(),
        tries=found.failures,
        since=_instant(found.failing_since),
        next_try=_instant(found.due_at if found.state == "WAITING" else None),
        said=found.said or "",
    )


def _instant(at: Instant | None) -> str:
    return "" if at is None else format_instant(at)


def _moment(at: datetime | None) -> str:
    return _instant(None if at is None else from_datetime(at))
