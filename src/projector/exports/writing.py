"""Writes an extract to a file of a given format; the file appears only when it is complete."""

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
    """The formats of an extract."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    JSONL = "jsonl"
    BEANCOUNT = "beancount"


BOOKS = "postings"
"""The only view that can be written for Beancount."""
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
    """Extract and write; an existing file is replaced atomically at the end.

    CSV and JSON lines contain only rows, so the metadata of the extract is in a second file,
    `FILE.about.json`, with the SHA-256 of the first.

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

    with found.spool, whole(path) as part:
        if balances is not None:
            beancount_file.write(found, balances, part, written)
        else:
            _WRITERS[wanted](found, part, written)
        if wanted in _PLAIN:
            _tell_about({**found.about, **_READ_BACK.get(wanted, {})}, part, about_file(path))
    return found


def about_file(path: Path) -> Path:
    """The path of the metadata of a file with plain rows."""
    return path.with_name(f"{path.name}.about.json")


_READ_BACK = {
    Format.CSV: {"text_cells": "remove one apostrophe that a text cell begins with"},
}
"""How to read a file with plain rows back."""


def _tell_about(about_it: Mapping[str, object], part: Path, target: Path) -> None:
    with part.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    text = json.dumps({**about_it, "file_sha256": digest}, ensure_ascii=False, indent=2)
    with whole(target) as about:
        about.write_text(text + "\n", encoding="utf-8")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to write to; it gets its name when it is complete, and is deleted after an error."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
