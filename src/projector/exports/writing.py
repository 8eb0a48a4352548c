"""Writes an extract into a file of a format: whole and under its name, or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from hashlib import file_digest
from pathlib import Path

import psycopg
from psycopg import IsolationLevel

from projector.exports import beancount_file, csv_file, jsonl_file, parquet_file, xlsx_file
from projector.exports.books import balances_of
from projector.exports.errors import CannotBeWritten
from projector.exports.extract import Extract, Request, extract_in
from projector.progress import Progress


class Format(StrEnum):
    """What an extract can be written as."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    JSONL = "jsonl"
    BEANCOUNT = "beancount"


BOOKS = "postings"
"""The view of which Beancount makes sense."""
_PLAIN = (Format.CSV, Format.JSONL)
_WRITERS = {
    Format.CSV: csv_file.write,
    Format.XLSX: xlsx_file.write,
    Format.PARQUET: parquet_file.write,
    Format.JSONL: jsonl_file.write,
}


def export(
    conninfo: str,
    request: Request,
    wanted: Format,
    path: Path,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Extract:
    """Extract and write; what stood under the name is replaced at the end, at one stroke.

    CSV and JSON lines hold rows and nothing else, so what the extract says about itself lies
    beside them in `FILE.about.json`, with the SHA-256 of the file.

    Raises UnknownView, UnknownAccount, BadPeriod and CannotBeWritten.
    """
    if wanted is Format.BEANCOUNT and request.view != BOOKS:
        raise CannotBeWritten(f"beancount is for the books: export {BOOKS}, not {request.view}")
    with psycopg.connect(conninfo) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        found = extract_in(connection, request)
        balances = balances_of(connection, request) if wanted is Format.BEANCOUNT else None

    def written(number: int) -> None:
        tell(Progress(done=number, total=found.rows, events=number))

    with found.spool, _whole(path) as part:
        if balances is not None:
            beancount_file.write(found, balances, part, written)
        else:
            _WRITERS[wanted](found, part, written)
        if wanted in _PLAIN:
            _tell_about({**found.about, **_READ_BACK.get(wanted, {})}, part, about_file(path))
    return found


def about_file(path: Path) -> Path:
    """Where a file of plain rows has what is to be said about it."""
    return path.with_name(f"{path.name}.about.json")


_READ_BACK = {
    Format.CSV: {"text_cells": "take off one apostrophe that a cell of text begins with"},
}
"""What has to be known to read a file of plain rows back."""


def _tell_about(about_it: Mapping[str, object], part: Path, target: Path) -> None:
    with part.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    text = json.dumps({**about_it, "file_sha256": digest}, ensure_ascii=False, indent=2)
    with _whole(target) as about:
        about.write_text(text + "\n", encoding="utf-8")


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file to write to; it gets its name when all is written, and goes where anything fails."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
