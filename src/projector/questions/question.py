"""A query: its name, its columns and its SQL."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """How a column's values are read and shown.

    MONEY is a decimal string with all decimals of the currency beside it, INSTANT RFC 3339 in UTC,
    DAY ISO 8601, SPAN whole seconds, JSON a JSON value.
    """

    TEXT = "TEXT"
    MONEY = "MONEY"
    INSTANT = "INSTANT"
    DAY = "DAY"
    SPAN = "SPAN"
    NUMBER = "NUMBER"
    FLAG = "FLAG"
    TEXTS = "TEXTS"
    JSON = "JSON"


class Column(Struct, frozen=True, kw_only=True):
    """A column of an answer."""

    name: str
    kind: Kind


class Keys(Struct, frozen=True, kw_only=True):
    """Where the keys of a query's rows are found by an index, in their order.

    `sources` are what the `columns` are selected from; together they have the keys of all rows.
    `words` are what a row of the view says in their place, if it is not the same, and begin the
    order of the query.
    """

    columns: tuple[str, ...] = ("account_id",)
    sources: tuple[str, ...]
    words: tuple[str, ...] = ()

    @property
    def of_rows(self) -> tuple[str, ...]:
        """The key of a row, in its own columns."""
        return self.words or self.columns


class Question(Struct, frozen=True, kw_only=True):
    """A query, and the view that it reads.

    `order` names the columns by which every row has one place: with - in front where the greatest
    comes first, with ? behind where an instant may be empty, which comes last. `group_by` names
    those of the sums, if columns are sums; `whole` is a view that has those of all rows. `at` is
    the function for the past, if there is one; `of_accounts` says whether the query can be limited
    to one account, `of_vendors` whether to what a vendor sold. With `keys` a page computes the rows
    of as many keys as it has room for, where the view alone would compute all.
    `by_events_alone`: its rows do not change as time passes, or with the terms.
    """

    name: str
    about: str
    view: str
    columns: tuple[Column, ...]
    expressions: dict[str, str] = {}
    group_by: str | None = None
    order: str
    at: str | None = None
    of_accounts: bool = True
    of_vendors: bool = False
    by_events_alone: bool = True
    whole: str | None = None
    keys: Keys | None = None


def columns(text: str) -> tuple[Column, ...]:
    """`"amount:MONEY rule"` → the columns; TEXT if no kind is given."""
    pairs = (word.partition(":") for word in text.split())
    return tuple(Column(name=name, kind=Kind(kind or "TEXT")) for name, _, kind in pairs)
