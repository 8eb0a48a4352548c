"""The timeline of an account: its events, the newest first, each with its cause and its effects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from console.sealing.showing import Opener
from console.web.pages.accounts.opening import opened
from ledger.values.ids import follow_up_id
from ledger.values.instants import format_instant
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import Event
from ledger.vocabulary.shapes import Role
from ledger.wire.json.mapping import event_to_json
from projector.asking.histories import latest, of_stories
from projector.asking.queries import Moment

Json = dict[str, Any]
MOST_OF_STORIES = 500
_INDICES, _ATTEMPTS = range(4), range(1, 6)
"""How many commands a reaction sends because of one event, and how often a timer sends its own."""


class Link(Struct, frozen=True, kw_only=True):
    """Another event of the account."""

    sequence: int
    event: str


class Moved(Struct, frozen=True, kw_only=True):
    """An event. `cause` is the event that made the system give the command; None where a person or
    upstream billing gave it. `effects` are the first events of what the system did because of it.
    """

    sequence: int
    event: str
    facts: Event
    recorded_at: str
    occurred_at: str
    actor_id: str
    actor_role: str
    command_id: str
    correlation_id: str
    terms: str
    partition: int
    log_sequence: int
    refunds: tuple[str, ...]
    cause: Link | None
    effects: tuple[Link, ...]
    body: str


class Timeline(Struct, frozen=True, kw_only=True):
    """Some events; `before` is where the older ones go on."""

    events: tuple[Moved, ...]
    before: int | None


def timeline(
    connection: Connection[Any],
    opener: Opener,
    account_id: str,
    limit: int,
    before: int | None = None,
    at: Moment | None = None,
) -> Timeline:
    """The account's last events before a number, as they were known at a moment."""
    found = latest(connection, account_id, limit + 1, before, at)
    shown = opened(found[:limit], opener)
    stories = {event.meta.correlation_id for event in shown}
    related = of_stories(connection, account_id, stories, MOST_OF_STORIES) if shown else ()
    causes = _causes([*related, *shown])
    return Timeline(
        events=tuple(_moved(event, causes) for event in shown),
        before=shown[-1].meta.sequence if len(found) > limit else None,
    )


_Causes = dict[str, tuple[RecordedEvent, RecordedEvent]]
"""Command id → the event that caused it, and the first event that it led to."""


def _causes(events: Iterable[RecordedEvent]) -> _Causes:
    """Found by the ids of follow-ups, which are derived from the id of their cause: once for each
    event and each of those who act in its story.
    """
    ordered = [event for _, event in sorted({each.meta.sequence: each for each in events}.items())]
    effects: dict[str, RecordedEvent] = {}
    acting: dict[str, set[str]] = {}
    for event in ordered:
        if event.meta.actor.role is Role.SYSTEM:
            effects.setdefault(event.meta.causation_id, event)
            acting.setdefault(event.meta.correlation_id, set()).add(event.meta.actor.id)
    found: _Causes = {}
    for cause in ordered:
        for name in sorted(acting.get(cause.meta.correlation_id, ())):
            for command_id in _could_lead_to(cause, name) & effects.keys():
                found[command_id] = (cause, effects[command_id])
    return dict(sorted(found.items(), key=lambda each: each[1][1].meta.sequence))


def _could_lead_to(cause: RecordedEvent, name: str) -> set[str]:
    """The ids of the commands that somebody would give because of an event."""
    return {
        follow_up_id(cause.meta.event_id, name, index, attempt)
        for index in _INDICES
        for attempt in _ATTEMPTS
    }


def _moved(event: RecordedEvent, causes: _Causes) -> Moved:
    meta, told = event.meta, event_to_json(event)
    cause = causes.get(meta.causation_id)
    return Moved(
        sequence=meta.sequence,
        event=event.name,
        facts=event.body,
        recorded_at=format_instant(meta.recorded_at),
        occurred_at=format_instant(meta.occurred_at),
        actor_id=meta.actor.id,
        actor_role=meta.actor.role.value,
        command_id=meta.causation_id,
        correlation_id=meta.correlation_id,
        terms=meta.terms,
        partition=meta.source_partition,
        log_sequence=meta.log_sequence,
        refunds=_refunds(told["body"]),
        cause=None if cause is None else _link(cause[0]),
        effects=tuple(
            _link(first) for why, first in causes.values() if why.meta.event_id == meta.event_id
        ),
        body=json.dumps(told["body"], ensure_ascii=False, indent=2),
    )


def _link(event: RecordedEvent) -> Link:
    return Link(sequence=event.meta.sequence, event=event.name)


def _refunds(body: Json) -> tuple[str, ...]:
    """The refunds that an event names."""
    legs: Sequence[Json] = [body, *(body.get("returned") or ())]
    return tuple(dict.fromkeys(leg["refund_id"] for leg in legs if leg.get("refund_id")))
