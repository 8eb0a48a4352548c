"""Formats the table of origins, its history and signed commands, as text and as JSON."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer
from msgspec import to_builtins
from rich.table import Table

from console.terminal.output import console, json_line, put
from consumers.follow_ups import command_record
from ledger.origins.history import OriginHistory
from ledger.origins.signing import Signer, beginning, signed_bytes
from ledger.origins.table import Key, Mode
from ledger.values.instants import Instant, format_instant
from ledger.vocabulary.envelope import GivenCommand

MODES = {
    Mode.OPEN: "open: nobody is asked who gives a command",
    Mode.WARN: "warn: a command whose origin is not proven is decided, and counted in the log",
    Mode.REQUIRED: "required: a command whose origin is not proven is a dead letter",
}


def origins_to_json(history: OriginHistory, ledger_id: str | None, now: Instant) -> dict[str, Any]:
    """The newest table as one JSON object."""
    table = history.newest
    return {
        "mode": table.mode.value,
        "version": table.version or None,
        "ledger": ledger_id,
        "origins": [
            {
                "origin": origin.name,
                "roles": sorted(origin.roles),
                "commands": sorted(origin.commands),
                "accounts": sorted(origin.accounts),
                "keys": [
                    {
                        "key": key.key_id,
                        "algorithm": key.algorithm.value,
                        "valid_from": format_instant(key.valid_from),
                        "valid_until": None
                        if key.valid_until is None
                        else format_instant(key.valid_until),
                        "valid_now": key.valid_at(now),
                    }
                    for key in origin.keys.values()
                ],
            }
            for origin in table.origins.values()
        ],
    }


def print_origins(
    history: OriginHistory, ledger_id: str | None, now: Instant, folder: Path
) -> None:
    """The newest table for people."""
    table = history.newest
    typer.echo(MODES[table.mode])
    typer.echo(f"version {table.version or 'none'}, in {folder}")
    typer.echo(f"ledger {ledger_id or '(no ledger runs)'}")
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("origin", "key", "algorithm", "valid", "roles", "commands", "accounts"):
        shown.add_column(heading, overflow="fold")
    for origin in table.origins.values():
        rights = (_listed(origin.roles), _listed(origin.commands), _listed(origin.accounts))
        for key in origin.keys.values():
            valid = _validity(key, now)
            shown.add_row(origin.name, key.key_id, key.algorithm.value, valid, *rights)
    if table.origins:
        put(console(), shown)


def print_history(history: OriginHistory, *, as_json: bool) -> None:
    """Every line: when, by whom, what."""
    for line, table in zip(history.lines, history.tables[1:], strict=True):
        told = {"version": table.version, **to_builtins(line)}
        if as_json:
            typer.echo(json_line(told))
        else:
            change = {name: value for name, value in told["change"].items() if name != "type"}
            parts = " ".join(f"{name}={_plain(value)}" for name, value in change.items())
            number = table.version.partition(":")[0]
            typer.echo(f"{number}  {line.at}  {line.by}  {told['change']['type']}  {parts}")


def signed_to_json(given: GivenCommand, signer: Signer) -> dict[str, Any]:
    """A signed command's record, and the lines that are signed."""
    record, meta = command_record(given, 1, signer), given.meta
    value = record.value or b""
    start = beginning(signer.ledger_id, signer.origin, signer.key_id)
    return {
        "key": meta.account_id,
        "headers": {name: header.decode() for name, header in record.headers},
        "value": b64encode(value).decode(),
        "signed": signed_bytes(start, meta.account_id, meta.command_id, value).decode().split("\n"),
    }


def _validity(key: Key, now: Instant) -> str:
    if key.valid_at(now):
        return "now" if key.valid_until is None else f"until {format_instant(key.valid_until)}"
    if now < key.valid_from:
        return f"from {format_instant(key.valid_from)}"
    return "ended"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
