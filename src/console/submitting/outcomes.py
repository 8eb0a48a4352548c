"""The outcome of a published line: its events, a refusal, its first outcome, a dead letter, or
unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from console.rendering.sentences.events import sentence
from console.rendering.sentences.words import money, refused_because, when
from ledger.values.refusal import Violation
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import CommandRefused
from ledger.wire.json.command_lines import CommandLine
from ledger.wire.json.mapping import event_to_json
from projector.asking.outcomes import Outcome


class Kind(StrEnum):
    """How a line ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    DEAD_LETTER = "dead_letter"
    UNKNOWN = "unknown"


class LineOutcome(Struct, frozen=True, kw_only=True):
    """A line and its outcome. `follow_ups` are the system's immediate reactions (only for a
    sandbox); `first` is the outcome of the same command when it was submitted before.
    """

    line: CommandLine
    kind: Kind
    events: tuple[RecordedEvent, ...] = ()
    follow_ups: tuple[RecordedEvent, ...] = ()
    first: Outcome | None = None
    reason: str = ""

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Why it was refused, now or the first time."""
        for event in self.events:
            if isinstance(event.body, CommandRefused):
                return event.body.violations
        return self.first.violations if self.first else ()


def decided(line: CommandLine, events: Sequence[RecordedEvent]) -> LineOutcome:
    """The outcome of a line that led to events; those of other commands are its follow-ups."""
    own: list[RecordedEvent] = []
    others: list[RecordedEvent] = []
    for event in events:
        mine = event.meta.causation_id == line.id and event.meta.account_id == line.account
        (own if mine else others).append(event)
    refused = any(isinstance(event.body, CommandRefused) for event in own)
    return LineOutcome(
        line=line,
        kind=Kind.REFUSED if refused else Kind.ACCEPTED,
        events=tuple(own),
        follow_ups=tuple(others),
    )


def outcome_to_json(outcome: LineOutcome) -> dict[str, Any]:
    """An outcome as one JSON object."""
    line, first = outcome.line, outcome.first
    found: dict[str, Any] = {
        "line": line.line_number,
        "command": line.name,
        "id": line.id,
        "account": line.account,
        "outcome": outcome.kind.value,
        "events": [event_to_json(event) for event in outcome.events],
        "follow_ups": [event_to_json(event) for event in outcome.follow_ups],
        "violations": msgspec.to_builtins(outcome.violations),
    }
    if first is not None:
        found["first_outcome"] = {
            "refused": first.refused,
            "event_names": list(first.event_names),
            "event_ids": list(first.event_ids),
        }
    if outcome.reason:
        found["reason"] = outcome.reason
    return found


def outcome_told(outcome: LineOutcome) -> str:
    """An outcome in a few lines for people."""
    line = outcome.line
    head = f"line {line.line_number:<4} {line.id:<12} {line.name:<24} {line.account:<12} "
    match outcome.kind:
        case Kind.REFUSED:
            reasons = [f"    {refused_because(each)}" for each in outcome.violations]
            return "\n".join([f"{head}REFUSED", *reasons])
        case Kind.DUPLICATE:
            return f"{head}submitted before: {_first_told(outcome.first)}"
        case Kind.DEAD_LETTER:
            return f"{head}DEAD LETTER: {outcome.reason}"
        case Kind.UNKNOWN:
            return f"{head}UNKNOWN: {outcome.reason}"
        case Kind.ACCEPTED:
            facts = (*outcome.events, *outcome.follow_ups)
            return "\n".join([f"{head}accepted", *(_fact(event) for event in facts)])


def passed_told(events: Sequence[RecordedEvent]) -> str:
    """The events of deadlines while the clock advanced."""
    return "\n".join(
        f"{when(event.meta.recorded_at)}  {event.meta.account_id}: {event.name}  "
        f"{sentence(event.body)}"
        for event in events
    )


def _fact(event: RecordedEvent) -> str:
    return f"    {event.name:<24} {sentence(event.body)}"


def _first_told(first: Outcome | None) -> str:
    if first is None:
        return "its first outcome is in the ledger, but the read models do not show it yet"
    if first.refused:
        return "refused then: " + "; ".join(refused_because(each) for each in first.violations)
    quote = ""
    if first.quote_amount is not None and first.quote_currency is not None:
        quote = f" ({money(first.quote_amount, first.quote_currency)})"
    return ", ".join(first.event_names) + quote
