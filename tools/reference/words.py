"""The sentences about commands, events, fields and codes, from the file beside this one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from inspect import cleandoc
from pathlib import Path
from textwrap import fill

from msgspec import Struct

FILE = Path(__file__).with_name("words.toml")


@cache
def words() -> dict[str, dict[str, str]]:
    """The file's tables: `commands`, `events`, `fields`, `own`, `codes`.

    `own` has the sentence of a field in one record, where the one in `fields` does not fit.
    """
    tables: dict[str, dict[str, str]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tables


def docstring_of(thing: type) -> str:
    """A class's own docstring; empty where it has none but what msgspec wrote."""
    text = thing.__dict__.get("__doc__") or ""
    generated = issubclass(thing, Struct) and text.startswith(f"{thing.__name__}(")
    return "" if generated else cleandoc(text)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in escaped)


def paragraph(*sentences: str) -> str:
    """A paragraph, wrapped as the other pages are."""
    return fill(" ".join(sentences), 100, break_on_hyphens=False) + "\n\n"


WRITTEN = paragraph("This page is written by `make docs` from the program itself; do not edit it.")
