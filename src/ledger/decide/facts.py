"""Facts: what a decision hands over to be recorded, and the ids it derives."""

from __future__ import annotations

from msgspec import Struct

from ledger.policies.case import Case
from ledger.values.ids import derived_id
from ledger.values.instants import Instant
from ledger.vocabulary.events import Event


class Fact(Struct, frozen=True, kw_only=True):
    """An event's body, and the business instant it happened at."""

    body: Event
    occurred_at: Instant


def derived(case: Case, noun: str, index: int = 0) -> str:
    """The id of something a command brings into being: of its account, id, content and index."""
    meta = case.given.meta
    return derived_id(meta.account_id, meta.command_id, case.digest.hex(), noun, str(index))


def at_once(case: Case, *bodies: Event) -> tuple[Fact, ...]:
    """Facts that happen when they are decided."""
    return tuple(Fact(body=body, occurred_at=case.now) for body in bodies)
