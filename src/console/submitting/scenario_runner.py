"""Runs a command file on simulated time: in memory, or on a real sandbox."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from console.sealing.giving import Sealing, unsealed
from console.submitting.command_files import Line
from consumers.sandbox.simulated_time import SteppedWorld, step_to
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import GivenCommand, RecordedEvent
from ledger.vocabulary.events import (
    Event,
    InstanceDowngradeQuoted,
    InstanceIsolated,
    InstanceReturnQuoted,
    MarketplaceRefundRequested,
    RefundIssued,
    ReservationExchanged,
    ReservationExchangeQuoted,
    ReservationRefundQuoted,
)
from ledger.wire.json.command_lines import Answer, CommandLine, FindAnswer, Named, resolve

TakeEvents = Callable[[], Iterable[RecordedEvent]]
"""The events recorded since the last call, in order."""


class Step(Struct, frozen=True, kw_only=True):
    """A line with all events that it caused at once; without a line, the events of the deadlines
    before the next line.
    """

    line: CommandLine | None
    given: GivenCommand | None
    events: tuple[RecordedEvent, ...]


class AnswerBook:
    """Results so far, by account and command; `earlier` finds those of earlier submissions.

    Where it is known which are `referred` to, only those are kept.
    """

    def __init__(
        self, earlier: FindAnswer = lambda *_: None, referred: Container[Named] | None = None
    ) -> None:
        self._earlier = earlier
        self._referred = referred
        self._answers: dict[tuple[str, str], Answer] = {}

    def see(self, recorded: RecordedEvent) -> None:
        """Store what later lines may refer to."""
        key = (recorded.meta.account_id, recorded.meta.causation_id)
        if self._referred is not None and key not in self._referred:
            return
        answer = answer_with(self._answers.get(key, Answer()), recorded.body)
        if answer is not None:
            self._answers[key] = answer

    def find(self, account: str, command_id: str) -> Answer | None:
        """The command's result; None if there is nothing to refer to."""
        found = self._answers.get((account, command_id))
        return found or self._earlier(account, command_id)


def answer_with(answer: Answer, body: Event) -> Answer | None:
    """The result with one more event of its command; None if no line can refer to it."""
    match body:
        case (
            InstanceReturnQuoted()
            | InstanceDowngradeQuoted()
            | ReservationRefundQuoted()
            | ReservationExchangeQuoted()
        ):
            return replace(answer, quote_id=body.quote_id, amount=body.amount)
        case RefundIssued():
            return replace(answer, refund_ids=(*answer.refund_ids, body.refund_id))
        case ReservationExchanged():
            return replace(answer, refund_ids=tuple(leg.refund_id for leg in body.returned))
        case MarketplaceRefundRequested():
            return replace(answer, request_id=body.request_id)
        case InstanceIsolated():
            return replace(answer, isolation_id=body.isolation_id)
        case _:
            return None


def run_scenario(
    world: SteppedWorld,
    take_events: TakeEvents,
    lines: Iterable[Line],
    book: AnswerBook,
    seal: Sealing = unsealed,
) -> Iterator[Step]:
    """Run every line at its instant; yields a step per line and per interval with events.

    1. The clock advances to the line's instant; earlier deadlines take effect. 2. The line is
    published, decided and followed up. 3. After the last line, due deadlines still take effect.
    """
    last: Instant | None = None
    for line in lines:
        assert line.at is not None
        last = line.at
        step_to(world, line.at, inclusive=False)
        yield from _passed(take_events, book)
        if isinstance(line, CommandLine):
            with seal([resolve(line, book.find, sandbox_at=world.now())]) as (given,):
                world.publish(given)
            world.settle()
            yield Step(line=line, given=given, events=_taken(take_events, book))
    if last is not None:
        step_to(world, last, inclusive=True)
        yield from _passed(take_events, book)


def _passed(take_events: TakeEvents, book: AnswerBook) -> Iterator[Step]:
    if events := _taken(take_events, book):
        yield Step(line=None, given=None, events=events)


def _taken(take_events: TakeEvents, book: AnswerBook) -> tuple[RecordedEvent, ...]:
    events = tuple(take_events())
    for recorded in events:
        book.see(recorded)
    return events
