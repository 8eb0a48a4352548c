"""How facts about reservations change them."""

from __future__ import annotations

from ledger.envelope import EventMeta
from ledger.events import ReservationEvent
from ledger.state.reading import Change, State


def evolve(state: State, meta: EventMeta, event: ReservationEvent) -> list[Change]:
    """The entities as they are after the event."""
    raise NotImplementedError(type(event).__name__, meta.event_id, state)
