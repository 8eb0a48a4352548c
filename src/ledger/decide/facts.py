"""Facts: the results of a decision that are recorded, and its derived ids."""

from __future__ import annotations

from msgspec import Struct

from ledger.policies.case import Case
from ledger.values.ids import derived_id
from ledger.values.instants import Instant
from ledger.vocabulary.events import Event


class Fact(Struct, frozen=True, kw_only=True):
    """An event's body, and its business instant."""

    body: Event
    occurred_at: Instant


def derived(case: Case, noun: str, index: int = 0) -> str:
    """The id of an entity that a command creates, from its account, id, content and index."""
    meta = case.given.meta
    return derived_id(meta.account_id, meta.command_id, case.digest.hex(), noun, str(index))


def at_once(case: Case, *bodies: Event) -> tuple[Fact, ...]:
    """Facts whose business instant is the deciding instant."""
    return tuple(Fact(body=body, occurred_at=case.now) for body in bodies)
