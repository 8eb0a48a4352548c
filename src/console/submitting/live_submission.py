"""Publishes lines to a ledger in real time, and waits for their outcomes.

Lines are sent in batches; only a line that refers to the result of another line waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from msgspec import Struct

from console.sealing.giving import Sealing, unsealed
from console.submitting.live_listener import Listener
from console.submitting.outcomes import Kind, LineOutcome, decided
from console.submitting.scenario_runner import AnswerBook
from consumers.follow_ups import command_record
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import RecordedEvent
from ledger.wire.json.command_lines import CommandLine, FindAnswer, Named, resolve
from projector.asking.outcomes import Outcome

BATCH_LINES = 5_000
IN_FLIGHT_LINES = 20_000
"""With so many lines in the log and not yet known to be decided, no more are read."""
_LISTEN_SECONDS = 0.1

Place = tuple[int, int]
"""Partition and offset of a published command."""
CommandContent = tuple[str, str, bytes]
"""Account, command id and content digest: what a duplicate is recognised by."""
FindFirsts = Callable[[Sequence[CommandContent]], dict[CommandContent, Outcome]]
"""First outcomes of commands; those that the read models do not show yet are left out."""


class Sent(Struct, frozen=True, kw_only=True):
    """A line in the log."""

    line: CommandLine
    digest: bytes

    @property
    def content(self) -> CommandContent:
        """The key that identifies duplicates."""
        return self.line.account, self.line.id, self.digest


class LiveSubmission:
    """One file being submitted. `outcomes` yields each line's outcome when it is known, in any
    order.
    """

    def __init__(
        self,
        listener: Listener,
        find_answer: FindAnswer,
        find_firsts: FindFirsts,
        *,
        patience_seconds: float,
        referred: Container[Named] | None = None,
        seal: Sealing = unsealed,
    ) -> None:
        self._seal = seal
        self._listener = listener
        self._book = AnswerBook(find_answer, referred)
        self._find_firsts = find_firsts
        self._patience_seconds = patience_seconds
        self._gave_up = False
        self._waiting: dict[Place, Sent] = {}
        self._parts: dict[Place, list[RecordedEvent]] = {}

    def publish(self, lines: Sequence[CommandLine]) -> None:
        """Send lines and wait only for the log."""
        given = [resolve(line, self._book.find) for line in lines]
        count, signer = self._listener.tools.partition_count, self._listener.signing()
        with self._seal(given) as sealed:
            records = [command_record(each, count, signer) for each in sealed]
            places = self._listener.publish(records)
        for line, each, place in zip(lines, sealed, places, strict=True):
            sent = Sent(line=line, digest=command_digest(each))
            self._waiting[place.partition, place.offset] = sent

    def outcomes(self, lines: Iterable[CommandLine]) -> Iterator[LineOutcome]:
        """Send all lines and wait for all outcomes.

        1. Lines are sent in batches; before one that refers to an earlier one, all sent so far are
        waited for, before any other all but so many. 2. At the end all are waited for.
        """
        batch: list[CommandLine] = []
        for line in lines:
            if line.references or len(batch) == BATCH_LINES:
                self.publish(batch)
                batch = []
                yield from self.wait(0 if line.references else IN_FLIGHT_LINES - BATCH_LINES)
            batch.append(line)
        self.publish(batch)
        yield from self.wait()

    def wait(self, but: int = 0) -> Iterator[LineOutcome]:
        """The outcomes of all but so many that were sent; UNKNOWN for what shows none while nothing
        moves, and from then on without more patience.
        """
        patience = 0.0 if self._gave_up else self._patience_seconds
        give_up = time.monotonic() + patience
        while len(self._waiting) > but:
            found = list(self._heard(self._listener.hear(_LISTEN_SECONDS)))
            if not found:
                found = list(self._silent())
            yield from found
            if found:
                give_up = time.monotonic() + patience
            elif time.monotonic() > give_up:
                yield from self._unknown()

    def _heard(self, events: Sequence[RecordedEvent]) -> Iterator[LineOutcome]:
        for event in events:
            meta = event.meta
            place = (meta.source_partition, meta.source_offset)
            if place not in self._waiting:
                continue
            self._book.see(event)
            parts = self._parts.setdefault(place, [])
            parts.append(event)
            if len(parts) == meta.count:
                yield decided(self._waiting.pop(place).line, self._parts.pop(place))

    def _silent(self) -> Iterator[LineOutcome]:
        """Lines the decider has passed without an event: dead letters, and duplicates.

        1. Read how far the decider is. 2. Read every event there is now. This includes all events
        of commands up to that offset, since both are committed together. 3. The other lines have
        none.
        """
        passed = self._listener.decided()
        yield from self._heard(self._listener.take_events())
        left = [place for place in self._waiting if (passed[place[0]] or 0) > place[1]]
        letters = self._listener.dead_letters() if left else []
        dead = {(letter.partition, letter.offset): letter.reason for letter in letters}
        again = [self._waiting[place].content for place in left if place not in dead]
        firsts = self._find_firsts(again) if again else {}
        for place in left:
            sent = self._waiting.pop(place)
            if place in dead:
                yield LineOutcome(line=sent.line, kind=Kind.DEAD_LETTER, reason=dead[place])
            else:
                first = firsts.get(sent.content)
                yield LineOutcome(line=sent.line, kind=Kind.DUPLICATE, first=first)

    def _unknown(self) -> Iterator[LineOutcome]:
        reason = (
            f"published, but no outcome within {self._patience_seconds:.0f} s; see 'refundctl "
            "status', then submit the same file again: nothing is done twice"
        )
        for sent in self._waiting.values():
            yield LineOutcome(line=sent.line, kind=Kind.UNKNOWN, reason=reason)
        self._waiting.clear()
        self._parts.clear()
        self._gave_up = True
