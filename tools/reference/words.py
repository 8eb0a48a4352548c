"""What every reference page is written with: tables, paragraphs, docstrings."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import cleandoc
from textwrap import fill

from msgspec import Struct


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
