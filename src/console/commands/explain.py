"""`refundctl explain`: why an amount is what it is, or why a command was refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explain(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Of a refund or a command.")],
    account: Annotated[
        str | None, typer.Option("--account", "-a", help="Whose it is; ids are an account's own.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", help="Not the running ledger: a file of commands, or what simulate printed."
        ),
    ] = None,
    terms: Annotated[
        list[Path] | None,
        typer.Option("--terms", help="A file of terms beside the released; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Explain an amount or a refusal, rule by rule.

    What was asked and by whom, the terms in force, each step with inputs, result and rounding,
    the postings, and the events it rests on; for a refusal every violated rule with its figures.
    An event file names no actor and no terms; a file of commands is played, and has all.

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
    from console.terminal.log_output import log_to_stderr
    from console.terminal.output import json_line

    log_to_stderr("error", json=False)
    if file is not None:
        table = terms_of(terms or ())
        found = from_file(file, table)
    else:
        ledger = find_ledger(read_settings())
        found = from_ledger(ledger, wanted, account)
        table = terms_of(terms) if terms else terms_in_force(ledger)
    told = explained(found, wanted, account, table)
    typer.echo(json_line(explanation_to_json(told)) if as_json else explanation_told(told))
