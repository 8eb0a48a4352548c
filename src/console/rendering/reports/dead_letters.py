"""Formats dead letters and their closings as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import typer
from rich.table import Table
from rich.text import Text

from console.rendering.reports.dead_letters_json import plain, resolution_to_json, today
from console.rendering.sentences.words import when
from console.terminal.output import console, json_line, put
from consumers.dead_letters.status import LetterStatus
from ledger.wire.dead_letters.closing import Resolution, Resolved
from ledger.wire.dead_letters.headers import Place
from ledger.wire.dead_letters.letter import Letter

_DUMPED_BYTES = 256
_ROW_BYTES = 16


def print_letters(found: Sequence[LetterStatus], *, left_off: int) -> None:
    """A table, the latest last."""
    if left_off:
        typer.echo(f"{left_off} earlier ones are left off; --limit 0 lists all")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("letter", "set aside", "reason", "key", "bytes", "what was seen", "since then"):
        table.add_column(name, overflow="fold", justify="right" if name == "bytes" else "left")
    for each in found:
        cells = (
            str(each.source),
            when(each.set_aside_at),
            each.reason,
            _key_told(each.key),
            str(each.size),
            plain(each.detail[:80]),
            _became(each.resolution),
        )
        table.add_row(*(Text(cell) for cell in cells))
    if found:
        put(console(), table)
    else:
        typer.echo("no dead letters")


def print_letter(standing: LetterStatus, letter: Letter, partition_count: int) -> None:
    """One letter in full; a long value is shortened."""
    value = letter.record.value
    lines = {
        "letter": f"{standing.source} of the commands, at {standing.letter_offset} here",
        "set aside": when(standing.set_aside_at),
        "reason": f"{standing.reason}: {plain(standing.detail)}",
        "since then": _became(standing.resolution) or "open",
        "today": today(letter, partition_count),
        "key": _key_told(standing.key),
        "value": "none" if value is None else f"{len(value)} bytes",
    }
    for name, text in lines.items():
        typer.echo(f"{name:<10}  {text}")
    for name, content in letter.original_headers:
        text = content.decode(errors="backslashreplace")[:200]
        typer.echo(f"{'header':<10}  {plain(name)}: {plain(text)}")
    for line in _dump(value or b""):
        typer.echo(line)


def print_resolved(
    kind: Resolved,
    before: Sequence[LetterStatus],
    done: Mapping[Place, Resolution],
    *,
    as_json: bool,
) -> None:
    """Which letters were closed now, and which before."""
    for standing in before:
        was = standing.resolution
        assert was is not None
        if as_json:
            typer.echo(json_line(resolution_to_json(was, now=False)))
        else:
            typer.echo(f"{standing.source}  {_became(was)} already")
    for resolution in done.values():
        if as_json:
            typer.echo(json_line(resolution_to_json(resolution, now=True)))
        else:
            typer.echo(f"{resolution.source}  {_became(resolution)}")
    if not (before or done) and not as_json:
        typer.echo(f"there are no open letters; nothing was {kind.lower()}")


def _became(resolution: Resolution | None) -> str:
    if resolution is None:
        return ""
    where = "" if resolution.copy is None else f" as {resolution.copy}"
    why = f": {resolution.reason}" if resolution.reason else ""
    return plain(f"{resolution.kind.lower()}{where} by {resolution.actor}{why}")


def _key_told(key: bytes | None) -> str:
    return "" if key is None else plain(key.decode(errors="backslashreplace")[:100])


def _dump(value: bytes) -> Iterator[str]:
    for start in range(0, min(len(value), _DUMPED_BYTES), _ROW_BYTES):
        row = value[start : start + _ROW_BYTES]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{start:>8x}  {row.hex(' '):<{_ROW_BYTES * 3}} {text}"
    if len(value) > _DUMPED_BYTES:
        yield f"          … {len(value) - _DUMPED_BYTES} more; --raw has all"
