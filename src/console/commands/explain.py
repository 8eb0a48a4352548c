"""`refundctl explain`: explains how an amount was calculated, or why a command was refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explain(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="The id of a refund or a command.")],
    account: Annotated[
        str | None,
        typer.Option("--account", "-a", help="Its account, if several accounts use the id."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", help="Read a command file, or the output of simulate, not the running ledger."
        ),
    ] = None,
    terms: Annotated[
        list[Path] | None,
        typer.Option("--terms", help="A file with more terms; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Explain an amount or a refusal, rule by rule.

    It shows the command and its actor, the terms in force, each step with inputs, result and
    rounding, the postings, and the earlier events it depends on. For a refusal it shows every
    violated rule with its figures. A command file is run first. The output of simulate has no
    actor and no terms.

    Examples:

      refundctl explain 06829b46-a0d0-813f-84b7-e1afc6b34627

      refundctl explain c-6 --file examples/02-ordinary-return.jsonl

      refundctl simulate commands.jsonl | refundctl explain c-6 --file -
    """
    from console.explaining.as_text import explanation_told
    from console.explaining.event_sources import from_file, from_ledger
    from console.explaining.explanation import explained, explanation_to_json
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.running.terms_files import terms_in_force, terms_of
    from console.sealing.master_key import master_key
    from console.terminal.log_output import log_to_stderr
    from console.terminal.output import json_line

    log_to_stderr("error", json=False)
    if file is not None:
        table = terms_of(terms or ())
        found = from_file(file, table)
    else:
        settings = read_settings()
        ledger = find_ledger(settings)
        found = from_ledger(ledger, wanted, account, master_key(settings))
        table = terms_of(terms) if terms else terms_in_force(ledger)
    told = explained(found, wanted, account, table)
    typer.echo(json_line(explanation_to_json(told)) if as_json else explanation_told(told))
