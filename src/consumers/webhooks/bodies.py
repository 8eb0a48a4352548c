"""What is sent of an event: the same bytes and the same id at every repeat. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from ledger.values.ids import derived_id
from ledger.values.instants import Instant, format_instant
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.sealing import key_number
from ledger.wire.json.writing import event_to_json

SEALED = "sealed"
TEST = "WebhookTest"


def body_of(event: RecordedEvent) -> bytes:
    """The body in JSON: type, timestamp, and the event as the command line prints it.

    A sealed text is the word `sealed`: a receiver's copy could not be erased with its key.
    """
    told = {
        "type": event.name,
        "timestamp": format_instant(event.meta.recorded_at),
        "data": _without_texts(event_to_json(event)),
    }
    return msgspec.json.encode(told)


def test_body(hook_id: str, now: Instant) -> bytes:
    """The body of a test delivery: no event has its type."""
    told = {"type": TEST, "timestamp": format_instant(now), "data": {"hook": hook_id}}
    return msgspec.json.encode(told)


def webhook_id(hook_id: str, event_id: str) -> str:
    """The id by which a receiver recognises a repeat."""
    return f"msg_{derived_id('webhook', hook_id, event_id)}"


def _without_texts(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_texts(part) for key, part in value.items()}
        case list() | tuple():
            return [_without_texts(part) for part in value]
        case str() if key_number(value) is not None:
            return SEALED
        case _:
            return value
