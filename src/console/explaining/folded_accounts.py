"""Keeps the states of accounts that were asked about, so that the next question folds only what is
new: an account of 100,000 events takes seconds to fold from its first one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from msgspec import Struct
from psycopg import Connection

from ledger.state import MemoryState, evolve
from ledger.vocabulary.envelope import RecordedEvent
from projector.asking.histories import History, history, last_sequence
from projector.asking.queries import UnknownAccount

MOST_EVENTS = 400_000
"""Of all kept accounts together; an event takes about 1 kB, mostly for the command's id."""
AT_ONCE = 2_000
"""Events that are folded in some 100 ms."""
Connections = Callable[[], AbstractContextManager[Connection[Any]]]


class FoldedAccount(Struct, frozen=True, kw_only=True):
    """The state of an account, and how far it has come; `place.events` are the last ones alone."""

    state: MemoryState
    sequence: int
    place: History


class _Kept:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.state = MemoryState()
        self.last: RecordedEvent | None = None


class FoldedAccounts:
    """For one process: the states of the accounts that were asked about last."""

    def __init__(self, most_events: int = MOST_EVENTS, at_once: int = AT_ONCE) -> None:
        self._most, self._at_once = most_events, at_once
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._choosing = threading.Lock()

    @contextmanager
    def folded(self, connections: Connections, account_id: str) -> Iterator[FoldedAccount]:
        """The state now, for as long as the context lasts: nobody else changes it meanwhile.

        Raises as `history` does; of an account that failed nothing is kept.
        """
        kept = self._one(account_id)
        with kept.lock:
            try:
                place = _caught_up(kept, connections, account_id, self._at_once)
            except BaseException:
                self._forget(account_id)
                raise
            self._keep_no_more_than_most()
            yield FoldedAccount(state=kept.state, sequence=_events(kept), place=place)

    def is_far(self, connection: Connection[Any], account_id: str) -> bool:
        """Whether so many events are yet to be folded that it takes more than a moment."""
        with self._choosing:
            kept = self._kept.get(account_id)
        done = 0 if kept is None else _events(kept)
        return last_sequence(connection, account_id) - done > self._at_once

    def _one(self, account_id: str) -> _Kept:
        with self._choosing:
            kept = self._kept.setdefault(account_id, _Kept())
            self._kept.move_to_end(account_id)
            return kept

    def _keep_no_more_than_most(self) -> None:
        """Forget the accounts that were asked about longest ago."""
        with self._choosing:
            while len(self._kept) > 1 and sum(map(_events, self._kept.values())) > self._most:
                self._kept.popitem(last=False)

    def _forget(self, account_id: str) -> None:
        with self._choosing:
            self._kept.pop(account_id, None)


def _events(kept: _Kept) -> int:
    return 0 if kept.last is None else kept.last.meta.sequence


def _caught_up(kept: _Kept, connections: Connections, account_id: str, most: int) -> History:
    """Fold what came since, in portions: a large account has more events than memory should."""
    while (place := _one_portion(kept, connections, account_id, most)).more:
        pass
    return place


def _one_portion(kept: _Kept, connections: Connections, account_id: str, most: int) -> History:
    """Fold what came next; from the beginning where the last event known is not in the ledger any
    more.
    """
    with connections() as connection:
        place = None if kept.last is None else _since(connection, account_id, kept.last, most)
        if place is None:
            kept.state, place = MemoryState(), history(connection, account_id, most=most)
            kept.last = None
    for event in place.events if kept.last is None else place.events[1:]:
        kept.state.apply(evolve(kept.state, event))
        kept.last = event
    return place


def _since(
    connection: Connection[Any], account_id: str, last: RecordedEvent, most: int
) -> History | None:
    try:
        found = history(connection, account_id, last.meta.sequence, most)
    except UnknownAccount:
        return None
    first = next(iter(found.events), None)
    same = first is not None and first.meta.event_id == last.meta.event_id
    return found if same else None
