"""The data dictionary: every view, table and function of schema finance, by its comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools.reference.words import WRITTEN, paragraph, table

PROJECTOR = Path(__file__).parent.parent.parent / "src" / "projector"
INTRODUCTION = """\
The views of schema `finance`, for people and their tools, with the role `finance_ro`
([how to](../how-to/finance.md)). Names and meanings are stable; columns may be added. An amount is
in units of the currency in the same row; if its name ends in `_minor`, it is in whole minor units.
Instants are `timestamptz`, days are `date`. Tables are marked; the program fills them, except
`fiscal_year`.
"""
_RELATION = re.compile(r"CREATE (VIEW|TABLE) finance\.(\w+)")
_FUNCTION = re.compile(
    r"CREATE (?:OR REPLACE )?FUNCTION finance\.(\w+)\((.*?)\)\s*RETURNS (TABLE|\w+)", re.DOTALL
)
_COMMENT = re.compile(
    r"COMMENT ON (VIEW|TABLE|COLUMN|FUNCTION) finance\.([\w.]+)\s+IS\s+'((?:[^']|'')*)'", re.DOTALL
)


def finance_page() -> str:
    """docs/reference/finance.md."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in _files())
    comments = {
        (kind, name): words.replace("''", "'") for kind, name, words in _COMMENT.findall(text)
    }
    relations = "".join(
        part
        for kind, name in sorted(_RELATION.findall(text), key=lambda each: str(each[1]))
        for part in _relation(kind, name, comments)
    )
    functions = [
        (f"`{name}({' '.join(given.split())})`", comments["FUNCTION", name])
        for name, given, _ in sorted(_FUNCTION.findall(text))
    ]
    return (
        f"# The finance schema\n\n{WRITTEN}{paragraph(INTRODUCTION)}"
        f"## Functions\n\n{paragraph(FUNCTIONS)}{table(('function', 'result'), functions)}"
        f"\n## Views and tables\n\n{relations}".rstrip("\n")
        + "\n"
    )


FUNCTIONS = """\
Those ending in `_at` have the columns of the view of the same name. `as_of` is a business
instant (`occurred_at`), `known_at` a recorded one (`recorded_at`); without them the
present is used. An instant in the future, before the ledger began, or not yet reached by every
partition is an error.
"""


def _files() -> Iterator[Path]:
    yield from sorted((PROJECTOR / "migrations").glob("*.sql"))
    yield from sorted((PROJECTOR / "finance").glob("*.sql"))


def _relation(kind: str, name: str, comments: dict[tuple[str, str], str]) -> Iterator[str]:
    mark = " (table)" if kind == "TABLE" else ""
    yield f"### {name}{mark}\n\n{comments[kind, name]}.\n\n"
    rows = [
        (f"`{column.partition('.')[2]}`", words)
        for (what, column), words in comments.items()
        if what == "COLUMN" and column.startswith(f"{name}.")
    ]
    yield table(("column", "meaning"), rows) + "\n"
