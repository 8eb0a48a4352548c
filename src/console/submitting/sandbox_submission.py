"""Runs a command file on a running sandbox, exactly as `simulate` runs it in memory."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from console.sealing.giving import Sealing, unsealed
from console.submitting.command_files import Line
from console.submitting.live_listener import Listener
from console.submitting.live_submission import FindFirsts
from console.submitting.outcomes import Kind, LineOutcome, decided
from console.submitting.scenario_runner import AnswerBook, Step, run_scenario
from consumers.follow_ups import command_record
from consumers.sandbox.simulated_time import SteppedWorld
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import RecordedEvent
from ledger.wire.json.command_lines import FindAnswer, Named

Passed = tuple[RecordedEvent, ...]
"""The events of deadlines between two lines."""


def sandbox_outcomes(
    world: SteppedWorld,
    listener: Listener,
    lines: Iterable[Line],
    find_answer: FindAnswer,
    find_firsts: FindFirsts,
    referred: Container[Named] | None = None,
    seal: Sealing = unsealed,
) -> Iterator[LineOutcome | Passed]:
    """Each line's outcome in the order of the file, and what happened in between."""
    book = AnswerBook(find_answer, referred)
    for step in run_scenario(world, listener.take_events, lines, book, seal):
        yield _outcome(step, listener, find_firsts) if step.line else step.events


def _outcome(step: Step, listener: Listener, find_firsts: FindFirsts) -> LineOutcome:
    line, given = step.line, step.given
    assert line is not None
    assert given is not None
    outcome = decided(line, step.events)
    if outcome.events:
        return outcome
    value = command_record(given, listener.tools.partition_count).value or b""
    for dead in listener.dead_letters():
        if dead.value == value:
            return LineOutcome(line=line, kind=Kind.DEAD_LETTER, reason=dead.reason)
    content = (line.account, line.id, command_digest(given))
    first = find_firsts([content]).get(content)
    return LineOutcome(line=line, kind=Kind.DUPLICATE, first=first)
