"""Finds the terms: the released versions, and those of an operator's files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from console.running.ledger_locator import Ledger
    from ledger.terms.table import TermsTable


def terms_in_force(ledger: Ledger) -> TermsTable:
    """The terms that a ledger uses."""
    return terms_of(() if ledger.terms is None else (ledger.terms,))


def terms_of(paths: Iterable[Path]) -> TermsTable:
    """The released terms with the versions of these files and folders.

    Numbers that a file leaves out are as in the version before it. If a version has the same
    effective date as another, it is used instead of that one. Raises BadInput, naming the file and
    the key.
    """
    from ledger.terms.table import overridden, released_terms

    table = released_terms()
    for path in paths:
        for file in _files(path):
            try:
                table = overridden(table, _read(file))
            except ValueError as error:
                raise BadInput(f"{file}: {error}") from error
    return table


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.toml"))
    if not found:
        raise BadInput(f"{path}: the folder has no .toml file; name a folder with terms")
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror or error}; name a file of terms") from error
