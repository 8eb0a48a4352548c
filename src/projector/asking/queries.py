"""Answers queries from the views of schema `finance`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from psycopg import Connection, errors

from ledger.values.instants import Instant, as_datetime, format_instant, from_datetime
from projector.asking import keyed
from projector.asking.matching import NOTHING_ELSE, NoSuchValue, Only, matching
from projector.asking.within import Within, condition
from projector.questions import Column, Keys, Kind, Question

ROWS_AT_ONCE = 500
Cell = str | int | bool | tuple[str, ...] | dict[str, Any] | list[Any] | None
"""A value in JSON: money and instants are text; JSON columns are unchanged."""


class UnknownAccount(LookupError):
    """The account does not exist; an account without rows is no error."""


class NotAnswerable(LookupError):
    """The query has no answer, or its answer could still change; the message says why."""


class NoReadModels(LookupError):
    """The database has no read models yet."""


class Moment(Struct, frozen=True, kw_only=True):
    """A point in the past: what had happened by `as_of`, as recorded by `known_at`."""

    as_of: Instant
    known_at: Instant


Place = tuple[str, ...]
"""Where a row stands in the order of its query: the values of the columns of the order, as text."""


class Selection(Struct, frozen=True, kw_only=True):
    """Which rows of a query: as the arguments of `ask` say."""

    account_id: str | None = None
    moment: Moment | None = None
    after: Place | None = None
    within: Within | None = None
    only: Only = NOTHING_ELSE


class Answer(Struct, frozen=True, kw_only=True):
    """The rows of an answer, with cells in the order of the columns.

    `last` is the place of the last row, if more rows come after it.
    """

    question: Question
    rows: tuple[tuple[Cell, ...], ...]
    last: Place | None = None


def ask(
    connection: Connection[Any],
    question: Question,
    account_id: str | None = None,
    limit: int | None = None,
    moment: Moment | None = None,
    after: Place | None = None,
    within: Within | None = None,
    only: Only = NOTHING_ELSE,
) -> Answer:
    """Answer a query, for one account or for all, with at most `limit` rows after a place, and of
    those that `only` names by values of columns.

    `within` is all that whoever asks may see. Raises UnknownAccount, NotAnswerable, NotTheirs, and
    NoReadModels if no projector has run yet.
    """
    see_that_it_is_within(within, account_id)
    selection = Selection(
        account_id=account_id, moment=moment, after=after, within=within, only=only
    )
    whole, values = prepared(question, selection)
    with explained(connection):
        _see_that_it_can_be_answered(connection, question, account_id, moment)
        rows = None if limit is None else _found_by_keys(connection, question, selection, limit)
        if rows is None:
            values["limit"] = None if limit is None else limit + 1
            rows = connection.execute(whole, values).fetchall()
    last = None
    if limit is not None and len(rows) > limit:
        last = tuple(rows[limit - 1][len(question.columns) :])
    return Answer(
        question=question,
        rows=tuple(_cells(question, row) for row in rows[:limit]),
        last=last,
    )


def ask_for_all(
    connection: Connection[Any],
    question: Question,
    account_id: str | None = None,
    moment: Moment | None = None,
    within: Within | None = None,
    only: Only = NOTHING_ELSE,
) -> Iterator[tuple[Cell, ...]]:
    """Every row, as of one instant, with some of them in memory at a time; raises as `ask` does.

    It holds the connection, which must be in no transaction, until the last row is taken.
    """
    see_that_it_is_within(within, account_id)
    selection = Selection(account_id=account_id, moment=moment, within=within, only=only)
    statement, values = prepared(question, selection)
    values["limit"] = None
    with explained(connection), connection.transaction():
        _see_that_it_can_be_answered(connection, question, account_id, moment)
        with connection.cursor(name="rows") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            for row in cursor.execute(statement, values):
                yield _cells(question, row)


def moment(
    connection: Connection[Any], as_of: Instant | None, known_at: Instant | None
) -> Moment | None:
    """The moment of the query; None for the present, if neither is given.

    Without `known_at` it is the last instant up to which the past is complete, so that the answer
    never changes; without `as_of` it is `known_at`.
    """
    if as_of is None and known_at is None:
        return None
    if known_at is None:
        with explained(connection):
            row = connection.execute("SELECT max(reached_until) FROM finance.reached").fetchone()
        if row is None or row[0] is None:
            raise NotAnswerable(
                "the past cannot be queried yet: the progress of the partitions is not known; see "
                "'refundctl status', and ask again later"
            )
        known_at = from_datetime(row[0]) - 1
    return Moment(as_of=known_at if as_of is None else as_of, known_at=known_at)


def of_columns(question: Question, names: Sequence[str]) -> Question:
    """The query with these columns, in this order. NotAnswerable names a column that is unknown, or
    named twice.
    """
    known: dict[str, Column] = {column.name: column for column in question.columns}
    if twice := next((name for name in known if names.count(name) > 1), None):
        raise NotAnswerable(f"column {twice!r} is named twice; name it once")
    for name in names:
        if name not in known:
            raise NotAnswerable(
                f"question {question.name} has no column {name!r}; it has {', '.join(known)}"
            )
    return replace(question, columns=tuple(known[name] for name in names))


def as_records(answer: Answer) -> list[dict[str, Cell]]:
    """The rows as JSON objects."""
    names = [column.name for column in answer.question.columns]
    return [dict(zip(names, row, strict=True)) for row in answer.rows]


def zero_sum(connection: Connection[Any]) -> dict[str, int]:
    """Currency → debits less credits of all postings, in minor units; it must be 0."""
    rows = connection.execute(
        "SELECT currency, sum(signed_minor) FROM finance.postings GROUP BY currency"
    ).fetchall()
    return {currency: int(difference) for currency, difference in rows}


def positions(connection: Connection[Any], consumer: str = "projector") -> dict[int, int]:
    """Partition of the events topic → the next offset the consumer will read."""
    rows = connection.execute(
        "SELECT partition, next_offset FROM consumers.checkpoints WHERE consumer = %s"
        " ORDER BY partition",
        (consumer,),
    ).fetchall()
    return dict(rows)


@contextmanager
def explained(connection: Connection[Any]) -> Iterator[None]:
    """Says what a question came upon: no read models, or no answer that lasts."""
    try:
        yield
    except (errors.UndefinedTable, errors.UndefinedFunction, errors.InvalidSchemaName) as error:
        raise NoReadModels(
            f"database {connection.info.dbname!r} has no read models yet; start the projector "
            "with 'refundctl up'"
        ) from error
    except (errors.InvalidTextRepresentation, errors.InvalidDatetimeFormat) as error:
        raise NotAnswerable(f"there is no such place: {error.diag.message_primary}") from error
    except errors.InvalidParameterValue as error:
        raise NotAnswerable(error.diag.message_primary) from error


def see_that_it_is_within(within: Within | None, account_id: str | None) -> None:
    """UnknownAccount for one that whoever asks may not see: as if there were none of that id."""
    if within is not None and account_id is not None and not within.has(account_id):
        raise unknown_account(account_id)


def unknown_account(account_id: str) -> UnknownAccount:
    """What to raise where the read models have no account of that id."""
    return UnknownAccount(
        f"account {account_id}: the read models have none of that id; see all with "
        "'refundctl query accounts'"
    )


def _found_by_keys(
    connection: Connection[Any], question: Question, selection: Selection, limit: int
) -> list[tuple[Any, ...]] | None:
    """The rows of a page, and one more if there is one, by the keys of the query; None if it has
    none, or if so many of them lead to nothing that is asked for.
    """
    keys = keyed.keys_of(question, selection.account_id, selection.within)
    if keys is None:
        return None
    statement, values = prepared(question, selection, keys)
    count = f"SELECT count(*) FROM ({_keys_found(question, selection, keys)}) keys"  # noqa: S608
    values["limit"] = limit + 1
    for looked_at in keyed.looks(limit):
        values["keys"] = looked_at
        rows = connection.execute(statement, values).fetchall()
        if len(rows) > limit:
            return rows
        there = connection.execute(count.encode(), values).fetchone()
        if there is not None and there[0] < looked_at:
            return rows
    return None


def _keys_found(question: Question, selection: Selection, keys: Keys) -> str:
    kept, _ = _of_whom(question, selection)
    return keyed.found_keys(keys, kept, after=selection.after is not None)


def prepared(
    question: Question, selection: Selection, keys: Keys | None = None
) -> tuple[bytes, dict[str, Any]]:
    """The statement, all values of which are parameters, and these; `limit` is yet to be set, and
    with keys `keys`, how many of them are looked at.
    """
    after, moment = selection.after, selection.moment
    order = [_ordered(word) for word in question.order.split()]
    if after is not None and len(after) != len(order):
        raise NotAnswerable(f"question {question.name} has no place {after}; begin anew without it")
    source = _source(question, moment)
    kept, values = _of_whom(question, selection)
    places = [f"({each})::text AS place_{number}" for number, each in enumerate(order)]
    if keys is not None:
        source = keyed.rows_of_keys(keys, _keys_found(question, selection, keys), source)
        order[: len(keys.columns)] = keyed.own_names(keys)
    if question.whole is not None and moment is None and not kept:
        source = question.whole
    elif question.group_by is not None:
        source, kept = _grouped(question, source, kept), []
    matched, matched_values = _matching(question, selection.only)
    kept, values = [*kept, *matched], values | matched_values
    if after is not None:
        values |= {f"after_{number}": value for number, value in enumerate(after)}
        there = ", ".join(f"%({name})s" for name in values if name.startswith("after_"))
        # The first alone is what a scan can begin with, where the others are only numbered there.
        kept += [f"{order[0]} >= %(after_0)s", f"({', '.join(order)}) > ({there})"]
    if moment is not None:
        values["as_of"] = as_datetime(moment.as_of)
        values["known_at"] = as_datetime(moment.known_at)
    columns = [column.name for column in question.columns]
    where = f"WHERE {' AND '.join(kept)}" if kept else ""
    # Names are those of our own questions; what a person says is a parameter.
    statement = (
        f"SELECT {', '.join([*columns, *places])} FROM {source} {where}"  # noqa: S608
        f" ORDER BY {', '.join(order)} LIMIT %(limit)s"
    )
    return statement.encode(), values


def _of_whom(question: Question, selection: Selection) -> tuple[list[str], dict[str, Any]]:
    """The conditions that say whose rows, and their values."""
    account_id, within = selection.account_id, selection.within
    # What a function returns has the database's collation, which no index of an account id has.
    kept = ['account_id = %(account_id)s COLLATE "C"'] if account_id is not None else []
    values: dict[str, Any] = {"account_id": account_id}
    if within is not None and account_id is None:  # one that is asked about is seen to be within
        own, own_values = condition(within, question)
        kept, values = [*kept, own], values | own_values
    return kept, values


def _matching(question: Question, only: Only) -> tuple[list[str], dict[str, Any]]:
    try:
        return matching(question, only)
    except NoSuchValue as error:
        raise NotAnswerable(str(error)) from error


def _ordered(word: str) -> str:
    """A word of an order in SQL; ascending alone, so that one comparison of rows finds a place."""
    if word.endswith("?"):
        return f"coalesce({word[:-1]}, 'infinity')"
    return f"(-{word[1:]})" if word.startswith("-") else word


def _source(question: Question, moment: Moment | None) -> str:
    if moment is None:
        return question.view
    if question.at is None:
        raise NotAnswerable(
            f"question {question.name} is only about the present; for the past use balances, "
            "statement, annual-refund-totals, recycle-bin, postings, trial or trial-balance"
        )
    return f"{question.at}(%(as_of)s, %(known_at)s)"


def _grouped(question: Question, source: str, kept: Sequence[str]) -> str:
    """The sums as rows of a query, in which a place can be found."""
    names = [column.name for column in question.columns]
    names += [word.removeprefix("-") for word in question.order.split()]
    wanted = ", ".join(
        f"{question.expressions.get(name, name)} AS {name}" for name in dict.fromkeys(names)
    )
    where = f"WHERE {' AND '.join(kept)}" if kept else ""
    return f"(SELECT {wanted} FROM {source} {where} GROUP BY {question.group_by}) sums"  # noqa: S608


def _see_that_it_can_be_answered(
    connection: Connection[Any], question: Question, account_id: str | None, at: Moment | None
) -> None:
    if at is not None:
        connection.execute(
            "SELECT finance.answerable(%s, %s)", (as_datetime(at.as_of), as_datetime(at.known_at))
        )
    if account_id is not None:
        _see_that_it_is_there(connection, question, account_id, at)


def _see_that_it_is_there(
    connection: Connection[Any], question: Question, account_id: str, at: Moment | None
) -> None:
    if not question.of_accounts:
        raise NotAnswerable(f"question {question.name} is not about accounts; leave --account out")
    found = connection.execute(
        "SELECT opened_at FROM finance.accounts WHERE account_id = %s", (account_id,)
    ).fetchone()
    if found is None:
        raise unknown_account(account_id)
    if at is not None and from_datetime(found[0]) > min(at.as_of, at.known_at):
        opened = format_instant(from_datetime(found[0]))
        raise UnknownAccount(
            f"account {account_id}: it was opened at {opened}, after the instant asked about"
        )


def _cells(question: Question, row: Sequence[Any]) -> tuple[Cell, ...]:
    """A row without its place."""
    return tuple(
        _cell(column.kind, value) for column, value in zip(question.columns, row, strict=False)
    )


def _cell(kind: Kind, value: Any) -> Cell:
    if value is None:
        return None
    match kind:
        case Kind.MONEY:
            assert isinstance(value, Decimal)
            return f"{value:f}"
        case Kind.INSTANT:
            assert isinstance(value, datetime)
            return format_instant(from_datetime(value))
        case Kind.DAY:
            assert isinstance(value, date)
            return value.isoformat()
        case Kind.SPAN:
            assert isinstance(value, timedelta)
            return value // timedelta(seconds=1)
        case Kind.TEXTS:
            return tuple(value)
        case Kind.TEXT | Kind.NUMBER | Kind.FLAG | Kind.JSON:
            cell: Cell = value
            return cell
