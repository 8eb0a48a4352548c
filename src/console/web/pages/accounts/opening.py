"""Events with their texts as far as who looks may read them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from console.sealing.showing import Opener
from ledger.vocabulary.envelope import RecordedEvent


def opened(events: Iterable[RecordedEvent], opener: Opener) -> tuple[RecordedEvent, ...]:
    """The events, each sealed text opened or replaced by a word."""
    return tuple(_opened(event, opener) for event in events)


def _opened(event: RecordedEvent, opener: Opener) -> RecordedEvent:
    meta = event.meta
    told = msgspec.to_builtins(event.body)
    body = opener.shown(meta.account_id, meta.causation_id, told)
    return event if body == told else replace(event, body=msgspec.convert(body, type(event.body)))
