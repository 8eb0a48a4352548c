"""What a page says to a program: its links, its tables with amounts, its amounts alone."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import NamedTuple


class Shown(NamedTuple):
    """An amount: its text, the list or the view and the column that it is of where the page says
    so, and for a table the texts of its row by column.
    """

    text: str
    source: str
    column: str
    row: dict[str, str]


class Page(HTMLParser):
    """A page that was read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.amounts: list[Shown] = []
        self._list = ""
        self._columns: list[str] = []
        self._row: dict[str, str] = {}
        self._in_row: list[tuple[str, str]] = []
        self._cell = -1
        self._source: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes where it is."""
        told = {name: value or "" for name, value in attrs}
        if tag == "a" and told.get("href"):
            self.links.add(told["href"])
        elif tag == "table":
            self._list, self._columns = told.get("data-list", ""), []
        elif tag == "th" and "data-column" in told:
            self._columns.append(told["data-column"])
        elif tag == "tr":
            self._row, self._in_row, self._cell = {}, [], -1
        elif tag == "td":
            self._cell += 1
        elif tag == "data" and "amount" in told.get("class", ""):
            self._source = told.get("data-source", "")

    def handle_endtag(self, tag: str) -> None:
        """A row's amounts are known with its end."""
        if tag == "tr" and self._list:
            self.amounts += [Shown(text, self._list, at, self._row) for at, text in self._in_row]
        elif tag == "table":
            self._list = ""
        elif tag == "data":
            self._source = None

    def handle_data(self, data: str) -> None:
        """The text of a cell, or of an amount."""
        column = self._columns[self._cell] if 0 <= self._cell < len(self._columns) else ""
        if self._list and column:
            self._row[column] = self._row.get(column, "") + data
        if self._source is None:
            return
        if self._list and column:
            self._in_row.append((column, data))
        else:
            source, _, name = self._source.rpartition(".")
            self.amounts.append(Shown(data, source, name, {}))
