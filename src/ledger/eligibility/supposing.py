"""Supposing: what a command would lead to, on a state that stays as it is. Pure."""

from __future__ import annotations

from typing import TypeVar

from ledger.decide import Duplicate, decide
from ledger.state import Key, State, evolve
from ledger.state.entities import Entity, Stream
from ledger.terms.table import Terms
from ledger.values.ids import derived_id
from ledger.values.instants import Instant
from ledger.vocabulary.commands import Command
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import (
    NEWEST_EDITION,
    ZERO_HASH,
    CommandMeta,
    EventMeta,
    GivenCommand,
    RecordedEvent,
)
from ledger.vocabulary.shapes import Actor

E = TypeVar("E", bound=Entity)

_NO_PLACE = -1


class Supposed:
    """A state with what would change laid over it."""

    def __init__(self, state: State) -> None:
        self._under = state
        self._changed: dict[Key, Entity] = {}

    def find(self, kind: type[E], account_id: str, entity_id: str) -> E | None:
        """The entity of that kind and id in the account, or None."""
        found = self._changed.get(Key(kind, account_id, entity_id))
        if found is None:
            return self._under.find(kind, account_id, entity_id)
        assert isinstance(found, kind)
        return found

    def take(self, events: tuple[RecordedEvent, ...]) -> None:
        """Suppose that these happened."""
        for event in events:
            self._changed.update(evolve(self, event))


def supposed_command(account_id: str, actor: Actor, body: Command) -> GivenCommand:
    """The command under an id that nobody can have used: a line break is rejected at the edge."""
    meta = CommandMeta(command_id=f"\n{type(body).__name__}", account_id=account_id, actor=actor)
    return GivenCommand(meta=meta, body=body)


def supposed(
    given: GivenCommand, *, state: State, now: Instant, terms: Terms
) -> tuple[RecordedEvent, ...]:
    """The events that the command would lead to now, a refusal too; none for one known already.

    They have no place in the log: offsets are -1, hashes zeros.
    """
    digest = command_digest(given)
    decision = decide(given, digest, state=state, now=now, terms=terms)
    if isinstance(decision, Duplicate):
        return ()
    stream = state.find(Stream, given.meta.account_id, "") or Stream(sequence=0)
    return tuple(
        RecordedEvent(
            meta=EventMeta(
                event_id=derived_id(
                    given.meta.account_id, given.meta.command_id, digest.hex(), "event", str(index)
                ),
                account_id=given.meta.account_id,
                sequence=stream.sequence + 1 + index,
                source_partition=_NO_PLACE,
                source_offset=_NO_PLACE,
                index=index,
                count=len(decision),
                log_sequence=_NO_PLACE,
                prev_hash=ZERO_HASH,
                recorded_at=now,
                occurred_at=fact.occurred_at,
                causation_id=given.meta.command_id,
                command_digest=digest,
                correlation_id=given.meta.correlation_id or given.meta.command_id,
                actor=given.meta.actor,
                terms=terms.version,
                edition=NEWEST_EDITION,
            ),
            body=fact.body,
        )
        for index, fact in enumerate(decision)
    )
