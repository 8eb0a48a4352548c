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
from projector.questions import Column, Kind, Question

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


class Answer(Struct, frozen=True, kw_only=True):
    """The rows of an answer, with cells in the order of the columns."""

    question: Question
    rows: tuple[tuple[Cell, ...], ...]


def ask(
    connection: Connection[Any],
    question: Question,
    account_id: str | None = None,
    limit: int | None = None,
    moment: Moment | None = None,
) -> Answer:
    """Answer a query, for one account or for all, with at most `limit` rows.

    Raises UnknownAccount, NotAnswerable, and NoReadModels if no projector has run yet.
    """
    statement = _statement(question, one_account=account_id is not None, past=moment is not None)
    values: dict[str, Any] = {"account_id": account_id, "limit": limit}
    if moment is not None:
        values["as_of"] = as_datetime(moment.as_of)
        values["known_at"] = as_datetime(moment.known_at)
    with explained(connection):
        if moment is not None:
            connection.execute("SELECT finance.answerable(%(as_of)s, %(known_at)s)", values)
        if account_id is not None:
            _see_that_it_is_there(connection, question, account_id, moment)
        rows = connection.execute(statement.encode(), values).fetchall()
    kinds = [column.kind for column in question.columns]
    return Answer(
        question=question,
        rows=tuple(
            tuple(_cell(kind, value) for kind, value in zip(kinds, row, strict=True))
            for row in rows
        ),
    )


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
    """The query with these columns, in this order. NotAnswerable names an unknown column."""
    known: dict[str, Column] = {column.name: column for column in question.columns}
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
    except errors.InvalidParameterValue as error:
        raise NotAnswerable(error.diag.message_primary) from error


def _statement(question: Question, *, one_account: bool, past: bool) -> str:
    wanted = ", ".join(
        f"{question.expressions.get(column.name, column.name)} AS {column.name}"
        for column in question.columns
    )
    # What a function returns has the database's collation, which no index of an account id has.
    where = 'WHERE account_id = %(account_id)s COLLATE "C"' if one_account else ""
    source = question.view
    if past:
        if question.at is None:
            raise NotAnswerable(
                f"question {question.name} is only about the present; for the past use balances, "
                "statement, annual-refund-totals, recycle-bin, postings, trial or trial-balance"
            )
        source = f"{question.at}(%(as_of)s, %(known_at)s)"
    # Names are those of our own questions; what a person says is a parameter.
    return f"SELECT {wanted} FROM {source} {where} {question.tail} LIMIT %(limit)s"  # noqa: S608


def _see_that_it_is_there(
    connection: Connection[Any], question: Question, account_id: str, at: Moment | None
) -> None:
    if not question.of_accounts:
        raise NotAnswerable(f"question {question.name} is not about accounts; leave --account out")
    found = connection.execute(
        "SELECT opened_at FROM finance.accounts WHERE account_id = %s", (account_id,)
    ).fetchone()
    if found is None:
        raise UnknownAccount(
            f"account {account_id}: the read models have none of that id; see all with "
            "'refundctl query accounts'"
        )
    if at is not None and from_datetime(found[0]) > min(at.as_of, at.known_at):
        opened = format_instant(from_datetime(found[0]))
        raise UnknownAccount(
            f"account {account_id}: it was opened at {opened}, after the instant asked about"
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
