"""How facts about marketplace change them."""

from __future__ import annotations

from ledger.envelope import EventMeta
from ledger.events import MarketplaceEvent
from ledger.state.reading import Change, State


def evolve(state: State, meta: EventMeta, event: MarketplaceEvent) -> list[Change]:
    """The entities as they are after the event."""
    raise NotImplementedError(type(event).__name__, meta.event_id, state)
