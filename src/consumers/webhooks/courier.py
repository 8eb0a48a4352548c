"""The courier: stores what hooks are to be told of, sends it, and stores what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import structlog

from consumers.clock import Clock
from consumers.positions import positions
from consumers.webhooks.bodies import body_of, webhook_id
from consumers.webhooks.hooks import CONSUMER, Hook, begins
from consumers.webhooks.sending import PER_HOOK, Delivery, Run, RunEnd
from consumers.webhooks.table import Recorded, Told, WebhookTable
from ledger.log.failpoints import passing
from ledger.log.seam import Batch, EventSource
from ledger.values.instants import SECOND, Instant
from ledger.wire.avro.codec import decode_event, event_name_of

MOST_EVENTS, LEAST_EVENTS = 2_000, 50
LOOK = SECOND
"""How often the hooks are looked up."""

_log = structlog.get_logger(__name__)
Tell = Callable[[str, Recorded], None]
"""Receives a hook's id and what the end of one of its runs changed."""


class Sends(Protocol):
    """Sends runs; satisfied by `consumers.webhooks.sending.Sender`."""

    def start(self, run: Run) -> None:
        """Begin to send a run."""
        ...

    def ended(self, wait_seconds: float) -> list[RunEnd]:
        """The runs that have ended; waits for the first."""
        ...

    def forget(self, hook_id: str) -> None:
        """The hook has ended."""
        ...


class Courier:
    """Tells the hooks. One at a time: the caller holds the lock of the webhooks.

    An event is stored for a hook together with the read position. It is deleted after the receiver
    has taken it; a crash in between sends it again, with the same id and body. Of an account only
    the first event is sent, and the next one after the receiver has taken it.
    """

    def __init__(
        self,
        table: WebhookTable,
        source: EventSource,
        sender: Sends,
        clock: Clock,
        chance: Callable[[], float],
        tell: Tell = lambda _hook_id, _recorded: None,
    ) -> None:
        self._table = table
        self._source = source
        self._sender = sender
        self._clock = clock
        self._chance = chance
        self._tell = tell
        self._hooks: dict[str, Hook] = {}
        self._looked_at: Instant | None = None
        self._busy: dict[str, list[Run]] = {}
        self._positions: dict[int, int] | None = None
        self._read_since = False
        self._rest()

    @property
    def sending(self) -> bool:
        """Is anything under way?"""
        return any(self._busy.values())

    @property
    def idle(self) -> bool:
        """Is there no hook?"""
        return not self._hooks

    def look(self) -> None:
        """Look up the hooks once a second, and delete what is left of those that have ended."""
        now = self._clock.now()
        if self._looked_at is not None and 0 <= now - self._looked_at < LOOK:
            return
        self._looked_at = now
        self._know(self._table.hooks())
        self._table.sweep()
        if not self._hooks and self._read_since:
            self._rest()

    def caught_up(self) -> bool:
        """Have all events that are in the log now been stored for the hooks?"""
        if not self._hooks:
            return True
        places = self._places()
        return all(places[partition] >= end for partition, end in enumerate(self._source.ends()))

    def follow(self, timeout_seconds: float) -> int:
        """Store the next events for the hooks; returns how many were read.

        1. Read. 2. In one transaction, in which no hook can be added, look up the hooks, and store
        what they are told of, with the positions. A crash before its end changes nothing; the same
        events are read again.
        """
        if not self._hooks:
            return 0
        places = self._places()
        self._read_since = True
        batches = self._source.read(places, self._most_events(), timeout_seconds)
        if not batches:
            return 0
        passing("webhooks.read")
        moved = {partition: batch.next_position for partition, batch in batches.items()}
        with self._table.reading():
            self._know(self._table.hooks())
            told = self._told(batches)
            self._table.keep(told, moved, self._source.topic_id, self._clock.now())
        passing("webhooks.kept")
        places.update(moved)
        return sum(len(batch.records) for batch in batches.values())

    def send(self) -> int:
        """Begin to send what is due; returns how many accounts."""
        if not self._hooks:
            return 0
        runs = self._table.runs(self._clock.now(), self._hooks, self._busy, PER_HOOK)
        if runs:
            passing("webhooks.taken")
        for run in runs:
            self._busy.setdefault(run.hook.hook_id, []).append(run)
            self._sender.start(run)
        return len(runs)

    def finish(self, wait_seconds: float) -> int:
        """Store what became of the runs that have ended; returns how many.

        What a receiver took is deleted after its answer; a crash in between sends it again.
        """
        ended = self._sender.ended(wait_seconds)
        if ended:
            passing("webhooks.answered")
        for end in ended:
            hook_id = end.run.hook.hook_id
            recorded = self._table.record(end, self._clock.now(), self._chance())
            self._busy[hook_id].remove(end.run)
            self._tell(hook_id, recorded)
            _log_failure(end, recorded)
        if ended:
            passing("webhooks.recorded")
        return len(ended)

    def _most_events(self) -> int:
        """Each hook may get all of them, and what is stored at once is bounded."""
        return max(LEAST_EVENTS, MOST_EVENTS // len(self._hooks))

    def _rest(self) -> None:
        """Without a hook nothing is read. Whoever watches the reader sees it at the end."""
        while self._source.read(dict(enumerate(self._source.ends())), 1, 0.0):
            pass
        self._read_since = False

    def _know(self, hooks: list[Hook]) -> None:
        known = {hook.hook_id: hook for hook in hooks}
        for hook_id in self._hooks.keys() - known.keys():
            self._sender.forget(hook_id)
        if self._hooks.keys() != known.keys():
            self._positions = None
        self._hooks = known

    def _places(self) -> dict[int, int]:
        """Where to read on. What no hook is told of is left out: without hooks nothing is read."""
        if self._positions is None:
            known = self._table.positions()
            places = positions(CONSUMER, known, self._source.topic_id, self._source.ends())
            hooks = list(self._hooks.values())
            self._positions = {
                partition: max(position, begins(hooks, partition))
                for partition, position in places.items()
            }
        return self._positions

    def _told(self, batches: Mapping[int, Batch]) -> Iterator[Told]:
        for partition, batch in batches.items():
            for found in batch.records:
                name = event_name_of(found.value)
                wanting = [
                    hook
                    for hook in self._hooks.values()
                    if hook.wants(name, partition, found.offset)
                ]
                if not wanting:
                    continue
                event = decode_event(found.value)
                body = body_of(event)
                for hook in wanting:
                    yield Told(
                        hook_id=hook.hook_id,
                        account_id=event.meta.account_id,
                        delivery=Delivery(
                            offset=found.offset,
                            webhook_id=webhook_id(hook.hook_id, event.meta.event_id),
                            body=body,
                        ),
                    )


def _log_failure(end: RunEnd, recorded: Recorded) -> None:
    if end.failure is None:
        return
    _log.info(
        "a webhook was not taken",
        hook=end.run.hook.hook_id,
        why=end.failure.why,
        dead=recorded.dead,
        ended=recorded.ended,
    )
