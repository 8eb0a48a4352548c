"""Reads state by kind, account and id, from any store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol, TypeVar

from ledger.state.entities import Entity

E = TypeVar("E", bound=Entity)


class Key(NamedTuple):
    """The key of an entity. An id is unique in its account."""

    kind: type[object]
    account_id: str
    entity_id: str


Change = tuple[Key, Entity]
"""An entity as it is after an event."""


class State(Protocol):
    """The state after all events so far."""

    def find(self, kind: type[E], account_id: str, entity_id: str) -> E | None:
        """The entity of that kind and id in the account, or None."""
        ...


def reuse_id(command_id: str, digest: bytes) -> str:
    """Under which id a refused reuse of a command id is kept; the digest's length is fixed."""
    return f"{digest.hex()} {command_id}"


def existing(state: State, kind: type[E], account_id: str, entity_id: str) -> E:
    """An entity that must exist, because an event about it is in the log."""
    found = state.find(kind, account_id, entity_id)
    assert found is not None
    return found


class MemoryState:
    """A state in a dictionary: for simulation and tests."""

    def __init__(self) -> None:
        self._entities: dict[Key, Entity] = {}

    def find(self, kind: type[E], account_id: str, entity_id: str) -> E | None:
        """The entity of that kind and id in the account, or None."""
        place = (kind, account_id, entity_id)  # equal to its Key, and created in half the time
        found = self._entities.get(place)  # type: ignore[call-overload]  # a Key is such a tuple
        assert found is None or isinstance(found, kind)
        return found

    def apply(self, changes: Iterable[Change]) -> None:
        """Store the changes of an event."""
        self._entities.update(changes)

    def entities(self) -> dict[Key, Entity]:
        """A copy of everything, for comparison."""
        return dict(self._entities)
