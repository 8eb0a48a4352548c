"""The state, computed from the events: `evolve` folds one event into the entities it changes.

`evolve` accepts every fact; it never checks whether something was allowed.
"""

from __future__ import annotations

from typing import assert_never

from ledger.state import accounts, instances, marketplace, refunds, reservations
from ledger.state.entities import RefusedReuse, SeenCommand, Stream
from ledger.state.reading import Change, Key, MemoryState, State, reuse_id
from ledger.values.refusal import Code
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    AccountEvent,
    CommandRefused,
    InstanceEvent,
    LedgerOpened,
    MarketplaceEvent,
    RefundEvent,
    ReservationEvent,
    SettlementEvent,
)

__all__ = ["Change", "Key", "MemoryState", "State", "evolve"]

_OfRefunds = RefundEvent | SettlementEvent


def evolve(state: State, recorded: RecordedEvent) -> list[Change]:
    """The entities that an event changes, with their new values. Pure: `state` is only read.

    The changes of an event must be applied before the next event is folded.
    """
    body = recorded.body
    if isinstance(body, LedgerOpened):
        return []
    changes, meta = _bookkeeping(state, recorded), recorded.meta
    if isinstance(body, CommandRefused):
        return changes
    if isinstance(body, InstanceEvent):  # the most frequent first, see `decide`
        return changes + instances.evolve(state, meta, body)
    if isinstance(body, _OfRefunds):
        return changes + refunds.evolve(state, meta, body)
    if isinstance(body, AccountEvent):
        return changes + accounts.evolve(state, meta, body)
    if isinstance(body, MarketplaceEvent):
        return changes + marketplace.evolve(state, meta, body)
    if isinstance(body, ReservationEvent):
        return changes + reservations.evolve(state, meta, body)
    assert_never(body)


def _bookkeeping(state: State, recorded: RecordedEvent) -> list[Change]:
    """The account's sequence, and the command, whose id is now known permanently."""
    meta = recorded.meta
    before = state.find(Stream, meta.account_id, "")
    facts = 0 if before is None else before.facts
    refused = isinstance(recorded.body, CommandRefused)
    stream = Stream(sequence=meta.sequence, facts=facts if refused else facts + 1)
    changes: list[Change] = [(Key(Stream, meta.account_id, ""), stream)]
    if meta.index:
        return changes
    account_id, command_id = meta.account_id, meta.causation_id
    if is_reuse(recorded):
        key = Key(RefusedReuse, account_id, reuse_id(command_id, meta.command_digest))
        return [*changes, (key, RefusedReuse(sequence=meta.sequence))]
    seen = SeenCommand(digest=meta.command_digest, sequence=meta.sequence)
    return [*changes, (Key(SeenCommand, account_id, command_id), seen)]


def is_reuse(recorded: RecordedEvent) -> bool:
    """Is this the refusal of a command id that was used before with other content?"""
    body = recorded.body
    return isinstance(body, CommandRefused) and body.violations[0].code is Code.COMMAND_ID_REUSED
