"""Finds the terms to judge by: the released versions, with those of an operator's files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from console.errors import BadInput

if TYPE_CHECKING:
    from console.settings import Settings
    from devstack import Status
    from ledger.terms import TermsTable


TERMS = "terms"
"""What `up` notes beside a stack: where the operator's terms lie."""


def terms_path(settings: Settings, seen: Status | None) -> Path | None:
    """REFUNDS_TERMS, a file or a folder of .toml files; else what the stack was started with."""
    if settings.terms is not None:
        return settings.terms.expanduser().resolve()
    noted = seen.metadata.get(TERMS) if seen is not None else None
    return None if noted is None else Path(noted)


def terms_in_force(settings: Settings, seen: Status | None = None) -> TermsTable:
    """The terms that a ledger decides by."""
    path = terms_path(settings, seen)
    return terms_of(() if path is None else (path,))


def terms_of(paths: Iterable[Path]) -> TermsTable:
    """The released terms with the versions of these files and folders.

    What a file leaves out is as in the version before it; a version that takes effect at the
    instant of another stands before it. Raises BadInput, naming the file and the key.
    """
    from ledger.terms import overridden, released_terms

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
        raise BadInput(f"{path}: the folder holds no .toml file; name one with terms in it")
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror or error}; name a file of terms") from error
