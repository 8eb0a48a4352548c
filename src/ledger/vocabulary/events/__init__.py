"""Every event that the ledger can record, one module for each family.

A class name is the event's name in the topic; the fields are its body. `currency` is the currency
of every amount in the body. `postings` are stored, so that a reader can add them up alone.

This module exports whatever the modules of the families define: a new event is added in one file.
"""

from __future__ import annotations

from ledger.vocabulary.events.accounts import *
from ledger.vocabulary.events.accounts import AccountEvent
from ledger.vocabulary.events.instances import *
from ledger.vocabulary.events.instances import InstanceEvent
from ledger.vocabulary.events.log import *
from ledger.vocabulary.events.log import LogEvent
from ledger.vocabulary.events.marketplace import *
from ledger.vocabulary.events.marketplace import MarketplaceEvent
from ledger.vocabulary.events.refunds import *
from ledger.vocabulary.events.refunds import RefundEvent
from ledger.vocabulary.events.reservations import *
from ledger.vocabulary.events.reservations import ReservationEvent
from ledger.vocabulary.events.settlement import *
from ledger.vocabulary.events.settlement import SettlementEvent

Event = (
    AccountEvent
    | InstanceEvent
    | MarketplaceEvent
    | ReservationEvent
    | RefundEvent
    | SettlementEvent
    | LogEvent
)
_FAMILIES = (
    LogEvent,
    AccountEvent,
    InstanceEvent,
    MarketplaceEvent,
    ReservationEvent,
    RefundEvent,
    SettlementEvent,
)
EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind for family in _FAMILIES for kind in family.__args__
}
"""Every event by its name in the topic."""
