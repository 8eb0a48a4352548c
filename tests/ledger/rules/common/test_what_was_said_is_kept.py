"""What was said is kept: every text of an accepted command stands in one of its events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from console.submitting.command_files import read_bytes, read_lines
from console.submitting.scenario_runner import AnswerBook, run_scenario
from consumers.sandbox.simulation import Simulation
from ledger.terms.table import released_terms
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.events import CommandRefused
from ledger.vocabulary.fields import Items, Kind, Record, Text, fields_of
from tests.console.golden_files import EXAMPLES

NAMES_ONLY = {"usd_rate", "factor", "currency"}
"""Numbers and codes that are texts on the wire; an event has what they came to."""
ASKED_BY_ID = {
    "quote_id": "an act that is refused a quote changes nothing; an exchange has its legs",
    "order_id": "a timer names the order that ended; the isolation is what came of it",
    "request_id": "a timer names the application that it completes",
}
"""Names of what there is already, which an event need not repeat."""


def texts_of(kind: Kind, name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text below a value, with its field's name."""
    if value is None:
        return
    match kind:
        case Text():
            yield name, value
        case Items(of=inner):
            for each in value:
                yield from texts_of(inner, name, each)
        case Record(shape=shape):
            for field in fields_of(shape):
                yield from texts_of(field.kind, field.name, getattr(value, field.name))
        case _:
            return


def outcomes() -> Iterator[tuple[Any, list[Any]]]:
    """Each accepted command of the examples, and its events."""
    for file in sorted(EXAMPLES.glob("*.jsonl")):
        world = Simulation(released_terms(), "0")
        lines = read_lines(file, read_bytes(file), require_at=True)
        for step in run_scenario(world, world.take_events, lines, AnswerBook()):
            if step.given is not None:
                command_id = step.given.meta.command_id
                own = [each for each in step.events if each.meta.causation_id == command_id]
                if own and not isinstance(own[0].body, CommandRefused):
                    yield step.given, own


@pytest.fixture(scope="module")
def decided() -> list[tuple[Any, list[Any]]]:
    return list(outcomes())


def test_every_text_of_an_accepted_command_stands_in_an_event_of_it(
    decided: list[tuple[Any, list[Any]]],
) -> None:
    lost = set()
    for given, own in decided:
        kept = msgspec.json.encode([msgspec.to_builtins(each.body) for each in own]).decode()
        for field in fields_of(COMMANDS[given.name]):
            for name, text in texts_of(field.kind, field.name, getattr(given.body, field.name)):
                if msgspec.json.encode(text).decode()[1:-1] not in kept and name not in NAMES_ONLY:
                    lost.add((given.name, name))
    assert {(command, name) for command, name in lost if name not in ASKED_BY_ID} == set()


def test_the_examples_have_every_free_text(decided: list[tuple[Any, list[Any]]]) -> None:
    """Else the test before this one would pass for what nobody said."""
    said = {
        (given.name, name)
        for given, _ in decided
        for field in fields_of(COMMANDS[given.name])
        for name, _ in texts_of(field.kind, field.name, getattr(given.body, field.name))
    }
    free = {
        (command, field.name)
        for command, body in COMMANDS.items()
        for field in fields_of(body)
        if field.name in {"note", "reason", "ticket"} and isinstance(field.kind, Text)
    }
    assert free <= said, free - said
