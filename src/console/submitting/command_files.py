"""Reads a command file, or reports all its errors."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from console.terminal.errors import BadInput
from ledger.values.money import Currency
from ledger.wire.json.command_file import AdvanceClock, CommandLine, read_command_file
from ledger.wire.json.lines import json_lines

Line = CommandLine | AdvanceClock

_SHOWN_PROBLEMS = 50


def read_bytes(path: Path) -> bytes:
    """The file's content; `-` is standard input."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}; name a command file") from error


def read_lines(
    path: Path,
    content: bytes,
    *,
    require_at: bool,
    known_currencies: Mapping[str, Currency] | None = None,
) -> tuple[Line, ...]:
    """The lines, or BadInput with every problem of the file."""
    found = read_command_file(content, require_at=require_at, known_currencies=known_currencies)
    if found.problems:
        count = len(found.problems)
        problems = [f"\n  {each}" for each in found.problems[:_SHOWN_PROBLEMS]]
        if count > _SHOWN_PROBLEMS:
            problems.append(f"\n  … and {count - _SHOWN_PROBLEMS} more")
        what = "1 problem" if count == 1 else f"{count} problems"
        raise BadInput(f"{path} has {what}; nothing was published:{''.join(problems)}")
    if not found.lines:
        raise BadInput(f"{path} contains no commands; see examples/ for the format")
    return found.lines


def accounts_in(content: bytes) -> frozenset[str]:
    """Every account that a line names, even if the line has other errors."""
    named = (line.value.get("account") for line in json_lines(content) if line.value is not None)
    return frozenset(account for account in named if isinstance(account, str))
