"""An answer of the read models as a table of a page."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct

from console.rendering.reports.answers import cell_text
from console.web.api.cursors import cursor_of
from console.web.pages.rendering.links import NOTHING, address, cell_link
from projector.asking.matching import NOTHING_ELSE, Only
from projector.asking.queries import Answer, Cell, as_records
from projector.questions import QUESTIONS, Column, Kind

NUMBERS = frozenset({Kind.MONEY, Kind.NUMBER, Kind.SPAN})
EXPORTS = {"csv": "CSV", "jsonl": "JSON lines", "json": "JSON"}


class Head(Struct, frozen=True, kw_only=True):
    """A column: its name in the view, its words, and of what kind it is."""

    column: str
    words: str
    kind: Kind

    @property
    def number(self) -> bool:
        """Whether its cells stand at the right."""
        return self.kind in NUMBERS


class Field(Struct, frozen=True, kw_only=True):
    """A cell: its text, whole where that was shortened, and where it leads; where it is the
    sentence of a violated rule also the figures of that.
    """

    head: Head
    text: str
    whole: str
    link: str | None
    violation: Mapping[str, Cell] | None = None


class Table(Struct, frozen=True, kw_only=True):
    """The rows of a query: its list, the same rows as files, and where they go on."""

    name: str
    words: str
    columns: tuple[Head, ...]
    rows: tuple[tuple[Field, ...], ...]
    list_link: str
    exports: dict[str, str]
    more: str | None


def table_of(
    answer: Answer, asked: Mapping[str, str] | None = None, only: Only = NOTHING_ELSE
) -> Table:
    """The answer to a query as a table; `asked` are the parameters of the list with these rows:
    `account`, `as_of`, `known_at`. Its links keep them, and the columns that have one value. The
    list goes on only where it has the same order.
    """
    name = answer.question.name
    single = {each: texts[0] or NOTHING for each, texts in only.items() if len(texts) == 1}
    kept = {**(asked or {}), **single}
    path, past = f"/lists/{name}", {k: v for k, v in kept.items() if k in {"as_of", "known_at"}}
    heads = tuple(_head(column) for column in answer.question.columns)
    same_order = answer.question.order == QUESTIONS[name].order
    records = as_records(answer)
    return Table(
        name=name,
        words=words_of_list(name),
        columns=heads,
        rows=tuple(
            tuple(
                _field(head, column, record[column.name], record, past)
                for head, column in zip(heads, answer.question.columns, strict=True)
            )
            for record in records
        ),
        list_link=address(path, kept),
        exports={words: address(f"{path}/rows.{end}", kept) for end, words in EXPORTS.items()},
        more=way_on(answer, name, path, kept) if same_order else None,
    )


def way_on(answer: Answer, cursors: str, path: str, asked: Mapping[str, str]) -> str | None:
    """Where an answer goes on, by a cursor of that name; None at its end."""
    if answer.last is None:
        return None
    return address(path, {**asked, "cursor": cursor_of(cursors, answer.last)})


def words_of_list(name: str) -> str:
    """A query's name in words, to be translated."""
    return name.replace("-", " ")


def words_of(column: str) -> str:
    """A column's name in words, to be translated."""
    return column.replace("_", " ")


def _head(column: Column) -> Head:
    return Head(column=column.name, words=words_of(column.name), kind=column.kind)


def _field(
    head: Head, column: Column, cell: Cell, record: Mapping[str, Cell], past: Mapping[str, str]
) -> Field:
    link = cell_link(column.name, record)
    if link is not None and past:
        link += ("&" if "?" in link else "?") + urlencode(past)
    return Field(
        head=head,
        text=cell_text(column, cell),
        whole=_whole(cell),
        link=link,
        violation=record if column.name == "message" and cell else None,
    )


def _whole(cell: Cell) -> str:
    return cell if isinstance(cell, str) else ""
