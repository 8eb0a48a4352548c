"""`refundctl simulate`: runs a file of commands in memory and prints every event."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    file: Annotated[
        Path,
        typer.Argument(help="A command file, one JSON object per line; - reads standard input."),
    ],
    pretty: Annotated[
        bool, typer.Option("--pretty", help="Print sentences instead of JSON.")
    ] = False,
    terms: Annotated[
        list[Path] | None,
        typer.Option("--terms", help="A file with more terms; may be repeated."),
    ] = None,
) -> None:
    """Run a file of commands in memory.

    The clock is simulated. Every event is printed as one JSON object per line. Decider, reactions
    and deadlines are the same as in the running ledger; no broker and no database are needed.

    Examples:

      refundctl simulate examples/01-five-days.jsonl

      refundctl simulate examples/03-restore-by-renewal.jsonl --pretty

      refundctl simulate - < commands.jsonl | jq .event

      refundctl simulate commands.jsonl --terms my-terms.toml
    """
    from console.rendering.sentences.events import told
    from console.running.terms_files import terms_of
    from console.submitting.command_files import read_bytes, read_lines
    from console.submitting.scenario_runner import AnswerBook, run_scenario
    from console.terminal.log_output import log_to_stderr
    from console.terminal.output import json_line, version
    from consumers.sandbox.simulation import Simulation
    from ledger.wire.json.mapping import event_to_json

    log_to_stderr("error", json=False)
    lines = read_lines(file, read_bytes(file), require_at=True)
    world = Simulation(terms_of(terms or ()), version())
    for step in run_scenario(world, world.take_events, lines, AnswerBook()):
        for recorded in step.events:
            typer.echo(told(recorded) if pretty else json_line(event_to_json(recorded)))
