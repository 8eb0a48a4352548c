"""`refundctl origins list` and `sign`: the table, and the signatures of a command file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.terminal.errors import BadInput, Failed

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def list_origins(
    history: Annotated[
        bool, typer.Option("--history", help="Every line of the table, the first one first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the origins and their keys.

    The ledger's id is shown too: it is in every signature.

    Examples:

      refundctl origins list

      refundctl origins list --history
    """
    from console.rendering.reports.origins import origins_to_json, print_history, print_origins
    from console.running.origins.origin_folder import OriginFolder
    from console.running.settings import read_settings
    from console.terminal.output import json_line
    from consumers.clock import WallClock

    settings = read_settings()
    found = OriginFolder(settings.origins_folder).history()
    if history:
        print_history(found, as_json=as_json)
        return
    now, ledger_id = WallClock().now(), _ledger_id()
    if as_json:
        typer.echo(json_line(origins_to_json(found, ledger_id, now)))
    else:
        print_origins(found, ledger_id, now, settings.origins_folder)


def sign(
    file: Annotated[
        Path, typer.Argument(help="A command file, as 'submit' takes it; - reads standard input.")
    ],
    ledger_id: Annotated[
        str | None,
        typer.Option("--ledger", help="The ledger's id (default: that of the running ledger)."),
    ] = None,
) -> None:
    """Print the record and signature of each command.

    One JSON object a line, as 'submit' would publish it: the key, the headers, the value in base64,
    and what is signed. Nothing is published. The origin is that of REFUNDS_ORIGIN and
    REFUNDS_ORIGIN_KEY_FILE, or the operator's. With --ledger it needs no ledger, so that a key can
    stay on a machine of its own.

    Examples:

      refundctl origins sign examples/live/orders.jsonl
    """
    from console.rendering.reports.origins import signed_to_json
    from console.running.ledger_locator import Ledger, find_ledger, own_origin_of
    from console.running.origins.own_signature import ledger_id_of, signing_of
    from console.running.settings import read_settings
    from console.submitting.command_files import commands_in
    from console.terminal.output import json_line
    from ledger.wire.json.command_lines import CommandLine, resolve

    settings = read_settings()
    if ledger_id is None:
        ledger = find_ledger(settings)
        ledger_id = ledger_id_of(ledger)
    else:
        ledger = Ledger(
            bootstrap="",
            database_url="",
            partition_count=1,
            origins=settings.origins_folder,
            own_origin=own_origin_of(settings),
        )
    known = ledger_id
    signer = signing_of(ledger, ledger_id=lambda: known)()
    if signer is None:
        raise BadInput(
            "nobody signs: set REFUNDS_ORIGIN and REFUNDS_ORIGIN_KEY_FILE, or add the operator "
            "with 'refundctl origins add operator'"
        )
    with commands_in(file, require_at=False) as commands:
        commands.look(lambda *_: None)
        commands.check({}, lambda *_: None)
        for line in commands.lines():
            if isinstance(line, CommandLine):
                given = resolve(line, lambda *_: None)
                typer.echo(json_line(signed_to_json(given, signer)))


def _ledger_id() -> str | None:
    """None if no ledger runs: the table can be read all the same."""
    from console.running.ledger_locator import find_ledger
    from console.running.origins.own_signature import ledger_id_of
    from console.running.settings import read_settings
    from ledger.log.seam import LogUnavailable, WrongWorld

    try:
        return ledger_id_of(find_ledger(read_settings()))
    except (Failed, LogUnavailable, WrongWorld):
        return None
