"""`refundctl dlq`: records that could not be read: list, show, redrive, discard."""

from __future__ import annotations

from typing import Annotated

import typer

from console.commands.dlq.closing import discard, redrive
from console.commands.dlq.selection import AsJson, Only, known_reason, named_letters, open_tools
from console.terminal.help import HeadedCommands

app = typer.Typer(
    cls=HeadedCommands,
    no_args_is_help=True,
    help="Dead letters: list, show, redrive or discard them.",
)


@app.command(name="list")
def list_letters(
    closed: Annotated[
        bool, typer.Option("--closed", help="Also list redriven and discarded ones.")
    ] = False,
    only: Only = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="Only the latest; 0 lists all.")
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """List the dead letters, by the offset of their record.

    Examples:

      refundctl dlq list

      refundctl dlq list --only UNKNOWN_SCHEMA

      refundctl dlq list --closed --limit 0 --json | jq .resolution
    """
    from console.rendering.reports.dead_letters import print_letters
    from console.rendering.reports.dead_letters_json import standing_to_json
    from console.terminal.output import json_line
    from consumers.dead_letters.status import letter_statuses

    code = known_reason(only)
    with open_tools() as tools:
        found = [
            each
            for each in letter_statuses(tools).values()
            if (closed or each.resolution is None) and code in (None, each.reason)
        ]
    found.sort(key=lambda each: (each.set_aside_at, each.source))
    shown = found[-limit:] if limit else found
    if as_json:
        for each in shown:
            typer.echo(json_line(standing_to_json(each)))
    else:
        print_letters(shown, left_off=len(found) - len(shown))


@app.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="LETTER", help="For example 0:17.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="Print only the unchanged bytes of the value.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter with its reason, content and status.

    Examples:

      refundctl dlq show 0:17

      refundctl dlq show 0:17 --raw > record.bin
    """
    from console.rendering.reports.dead_letters import print_letter
    from console.rendering.reports.dead_letters_json import letter_to_json
    from console.terminal.output import json_line
    from consumers.dead_letters.status import letter_of, letter_statuses

    with open_tools() as tools:
        (standing,) = named_letters([letter], letter_statuses(tools))
        found, count = letter_of(tools, standing), tools.partition_count
    if raw:
        typer.get_binary_stream("stdout").write(found.record.value or b"")
    elif as_json:
        typer.echo(json_line(letter_to_json(standing, found, count)))
    else:
        print_letter(standing, found, count)


app.command()(redrive)
app.command()(discard)
