"""Plays a file of commands on a world whose time can be stepped: in memory, or a real sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from console.submitting.command_files import Line
from consumers.sandbox.simulated_time import SteppedWorld, step_to
from ledger.vocabulary.envelope import GivenCommand, RecordedEvent
from ledger.vocabulary.events import (
    InstanceReturnQuoted,
    ReservationExchangeQuoted,
    ReservationRefundQuoted,
)
from ledger.wire.json.command_file import CommandLine, Quoted, resolve

FindQuote = Callable[[str, str], Quoted | None]
"""Account and command id of a quote command → what it was answered."""


TakeEvents = Callable[[], Iterable[RecordedEvent]]
"""The events recorded since the last call, in order."""


class Step(Struct, frozen=True, kw_only=True):
    """A line with all that was recorded because of it at once; without a line, what came of the
    deadlines that fell before the next one.
    """

    line: CommandLine | None
    given: GivenCommand | None
    events: tuple[RecordedEvent, ...]


class QuoteBook:
    """The quotes given so far, by account and command; `earlier` knows those from before."""

    def __init__(self, earlier: FindQuote = lambda *_: None) -> None:
        self._earlier = earlier
        self._quotes: dict[tuple[str, str], Quoted] = {}

    def see(self, recorded: RecordedEvent) -> None:
        """Remember the event if it is a quote."""
        body, meta = recorded.body, recorded.meta
        match body:
            case InstanceReturnQuoted() | ReservationRefundQuoted() | ReservationExchangeQuoted():
                quoted = Quoted(quote_id=body.quote_id, amount=body.amount)
                self._quotes[meta.account_id, meta.causation_id] = quoted
            case _:
                return

    def find(self, account: str, command_id: str) -> Quoted | None:
        """What the quote command was answered; None if it was refused."""
        found = self._quotes.get((account, command_id))
        return found or self._earlier(account, command_id)


def run_scenario(
    world: SteppedWorld, take_events: TakeEvents, lines: Sequence[Line], book: QuoteBook
) -> Iterator[Step]:
    """Give every line at its instant; a step for each line and each stretch of time with events.

    1. Time goes to the line's instant; deadlines before it fire at their own. 2. The line is
    published, decided and followed up. 3. After the last line, deadlines due by then still fire.
    """
    for line in lines:
        assert line.at is not None
        step_to(world, line.at, inclusive=False)
        yield from _passed(take_events, book)
        if isinstance(line, CommandLine):
            given = resolve(line, book.find, sandbox_at=world.now())
            world.publish(given)
            world.settle()
            yield Step(line=line, given=given, events=_taken(take_events, book))
    if lines and lines[-1].at is not None:
        step_to(world, lines[-1].at, inclusive=True)
        yield from _passed(take_events, book)


def _passed(take_events: TakeEvents, book: QuoteBook) -> Iterator[Step]:
    if events := _taken(take_events, book):
        yield Step(line=None, given=None, events=events)


def _taken(take_events: TakeEvents, book: QuoteBook) -> tuple[RecordedEvent, ...]:
    events = tuple(take_events())
    for recorded in events:
        book.see(recorded)
    return events
