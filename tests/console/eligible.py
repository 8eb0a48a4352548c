"""What `eligible` says at the end of an example, from its events in memory."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from console.explaining.eligibility import eligibility_of
from console.rendering.reports.eligibility import (
    Eligibility,
    eligibility_head,
    eligibility_table,
    eligibility_workings,
)
from console.submitting.command_files import read_bytes, read_lines
from console.submitting.scenario_runner import AnswerBook, run_scenario
from consumers.sandbox.simulation import Simulation
from ledger.terms.table import released_terms
from ledger.vocabulary.envelope import RecordedEvent
from projector.asking.histories import History

EXAMPLE = "45-what-may-be-done.jsonl"


def played(example: Path) -> tuple[Simulation, tuple[RecordedEvent, ...]]:
    """A simulation at the end of the file, and the events that came of it."""
    world = Simulation(released_terms(), "0")
    lines = read_lines(example, read_bytes(example), require_at=True)
    steps = run_scenario(world, world.take_events, lines, AnswerBook())
    return world, tuple(event for step in steps for event in step.events)


def histories(example: Path) -> dict[str, History]:
    """Each account's events as the read models would have them."""
    world, events = played(example)
    last = events[-1].meta
    return {
        account: History(
            account_id=account,
            events=tuple(event for event in events if event.meta.account_id == account),
            partition=0,
            log_sequence=last.log_sequence,
            recorded_at=last.recorded_at,
            now=world.now(),
        )
        for account in dict.fromkeys(event.meta.account_id for event in events)
    }


def told(example: Path) -> str:
    """Of every account, with the working."""
    return "\n".join(
        _told(eligibility_of(history, released_terms())) for history in histories(example).values()
    )


def _told(found: Eligibility) -> str:
    out = Console(highlight=False, width=200)
    with out.capture() as captured:
        out.print(eligibility_table(found))
    table = "\n".join(line.rstrip(" ") for line in captured.get().split("\n"))
    workings = "".join(f"{line}\n" for line in eligibility_workings(found))
    return f"{eligibility_head(found)}\n{table}{workings}"
