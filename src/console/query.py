"""`refundctl query`: asks the read models, for people or for machines."""

from __future__ import annotations

import difflib
from typing import Annotated

import typer

from console.errors import BadInput


def query(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The question; without one, all are listed."),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", "-a", help="Only this account's rows.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a row.")] = False,
) -> None:
    """Ask the read models a question.

    Examples:

      refundctl query

      refundctl query recycle-bin --account acct-1

      refundctl query refunds --json | jq .working
    """
    from console.ledger_found import connected, find_ledger
    from console.output import console, json_line, put
    from console.settings import read_settings
    from console.tables import answer_table
    from projector.queries import as_records, ask
    from projector.questions import QUESTIONS

    if name is None:
        for question in QUESTIONS.values():
            typer.echo(f"{question.name:<22} {question.about}")
        return
    if name not in QUESTIONS:
        near = difflib.get_close_matches(name, list(QUESTIONS), n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise BadInput(f"no question is called {name!r}{meant} (all: {', '.join(QUESTIONS)})")
    ledger = find_ledger(read_settings())
    with connected(ledger.database_url) as connection:
        answer = ask(connection, QUESTIONS[name], account, limit)
    if as_json:
        for record in as_records(answer):
            typer.echo(json_line(record))
    else:
        put(console(), answer_table(answer))
