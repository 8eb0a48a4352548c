"""The reactions: what the system does immediately after an event. One duty per file."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from consumers.reactions.settle_refund import settle_refund
from ledger.vocabulary.commands import Command
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import Event, RefundIssued, ReservationExchanged

Reaction = Callable[[RecordedEvent], Iterable[Command]]

REACTIONS: tuple[tuple[Reaction, tuple[type[Event], ...]], ...] = (
    (settle_refund, (RefundIssued, ReservationExchanged)),
)
"""Each reaction with the events it handles, in the order in which their commands are sent. A
reaction's name is part of its commands' ids.
"""
