"""How the form of records is told: a table and each fault with its next step, or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from console.rendering.reports.dead_letters_json import plain
from console.rendering.sentences.words import when
from console.terminal.output import console, put
from consumers.deciding.form import Form
from ledger.values.instants import format_instant
from ledger.wire.avro.codec import Unreadable

NEXT_STEPS = {
    Unreadable.NOT_OURS: "put Avro's single-object frame before the body (c3 01 and the schema's "
    "fingerprint), or, with a registry, 00 and the schema's id; JSON is not read",
    Unreadable.UNKNOWN_SCHEMA: "write with a file of schemas/commands as it is; where a registry's "
    "ids are used, set SCHEMA_REGISTRY_URL for the ledger's processes too",
    Unreadable.TOO_LARGE: "split the command into several",
    Unreadable.UNREADABLE: "write the body with the very schema that the frame names",
    Unreadable.NOT_CANONICAL: "write nothing behind the body, and arrays and maps as one block "
    "without its size in bytes; some Avro libraries have a setting for that",
    Unreadable.INVALID_VALUE: "use a symbol that the schema lists; UNKNOWN is for readers alone",
    Unreadable.OUT_OF_RANGE: "correct the field; docs/reference/commands.md says what it may be",
    Unreadable.WRONG_KEY: "make the record's key the account id's UTF-8 bytes and nothing else",
    Unreadable.WRONG_PARTITION: "let the client choose the partition by Java's murmur2 of the key: "
    "librdkafka needs partitioner=murmur2_random",
    Unreadable.WRONG_CLOCK: "give sandbox_at to a sandbox, always, and to no other ledger",
    Unreadable.NOT_SIGNED: "give each record one header refunds-origin and one refunds-signature; "
    "docs/how-to/origins.md says what is signed",
    Unreadable.UNKNOWN_ORIGIN: "name origin and key id as 'refundctl origins list' shows them",
    Unreadable.KEY_NOT_VALID: "sign with a key that is valid now; 'refundctl origins list' shows "
    "which are",
    Unreadable.WRONG_SIGNATURE: "sign the ledger's id, the record's key, the command's id and the "
    "value as they are published; 'refundctl origins sign' shows each line that is signed",
    Unreadable.NOT_ALLOWED: "let the origin give it ('refundctl origins allow'), or give it by one "
    "that may",
    Unreadable.NOT_BUILT: "publish it again; every command is decided now",
    Unreadable.BREAKS_THE_CODE: "report it: it is a fault of the ledger",
}
"""What a publisher does about each reason."""


def form_to_json(form: Form) -> dict[str, Any]:
    """One record as one JSON object."""
    record, meta = form.record, form.meta
    name, version = form.schema or (None, None)
    return {
        "record": f"{record.partition}:{record.offset}",
        "partition": record.partition,
        "offset": record.offset,
        "appended_at": format_instant(record.appended_at),
        "key": None if record.key is None else record.key.decode(errors="backslashreplace"),
        "bytes": len(record.value or b""),
        "frame": form.frame,
        "command": name,
        "schema_version": version,
        "command_id": None if meta is None else meta.command_id,
        "origin": form.origin or None,
        "account": None if meta is None else meta.account_id,
        "dead_letter": bool(form.faults),
        "faults": [
            {
                "reason": fault.reason.value,
                "detail": fault.detail,
                "next_step": NEXT_STEPS[fault.reason],
            }
            for fault in form.faults
        ],
        "notes": list(form.notes),
    }


def print_forms(forms: Sequence[Form], topic_name: str) -> None:
    """The table, the latest last; then each fault and each note; then how many there are."""
    if not forms:
        typer.echo(f"no records in {topic_name}")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (
        "record",
        "appended",
        "key",
        "frame",
        "command",
        "command id",
        "origin",
        "form",
    ):
        table.add_column(heading, overflow="fold")
    for form in forms:
        table.add_row(*(Text(plain(cell)) for cell in _cells(form)))
    put(console(), table)
    for form in forms:
        _print_remarks(form)
    letters = sum(bool(form.faults) for form in forms)
    become = "becomes a dead letter" if letters == 1 else "become dead letters"
    told = f"{letters} {become}" if letters else "the decider takes all of them"
    typer.echo(f"{len(forms)} records of {topic_name}: {told}")


def _cells(form: Form) -> tuple[str, ...]:
    record = form.record
    return (
        f"{record.partition}:{record.offset}",
        when(record.appended_at),
        "" if record.key is None else record.key.decode(errors="backslashreplace")[:60],
        form.frame,
        "" if form.schema is None else "{} {}".format(*form.schema),
        "" if form.meta is None else form.meta.command_id,
        form.origin,
        form.faults[0].reason if form.faults else "good",
    )


def _print_remarks(form: Form) -> None:
    name = f"{form.record.partition}:{form.record.offset}"
    for fault in form.faults:
        typer.echo(plain(f"{name}  {fault}"))
        typer.echo(f"      next: {NEXT_STEPS[fault.reason]}")
    for note in form.notes:
        typer.echo(plain(f"{name}  note: {note}"))
