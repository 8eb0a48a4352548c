"""Answers the questions of finance from the views of schema `finance`, ready for any reader."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct
from psycopg import Connection, errors

from ledger.instants import format_instant, from_datetime
from projector.questions import Kind, Question

Cell = str | int | bool | tuple[str, ...] | dict[str, Any] | list[Any] | None
"""A value as JSON has it: money and instants are text; of JSON columns whatever they hold."""


class UnknownAccount(LookupError):
    """The account asked about is not there, which is not the same as having nothing to show."""


class NoReadModels(LookupError):
    """The database holds no read models yet."""


class Answer(Struct, frozen=True, kw_only=True):
    """The rows that answer a question, their cells in the order of its columns."""

    question: Question
    rows: tuple[tuple[Cell, ...], ...]


def ask(
    connection: Connection[Any],
    question: Question,
    account_id: str | None = None,
    limit: int | None = None,
) -> Answer:
    """Answer a question, about one account or about all, with at most `limit` rows.

    Raises UnknownAccount, and NoReadModels where no projector has been here.
    """
    statement = _statement(question, one_account=account_id is not None)
    try:
        if account_id is not None:
            _see_that_it_is_there(connection, account_id)
        values = {"account_id": account_id, "limit": limit}
        rows = connection.execute(statement.encode(), values).fetchall()
    except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
        raise NoReadModels(
            f"database {connection.info.dbname!r} has no read models yet; start the projector "
            "with 'refundctl up'"
        ) from error
    kinds = [column.kind for column in question.columns]
    return Answer(
        question=question,
        rows=tuple(
            tuple(_cell(kind, value) for kind, value in zip(kinds, row, strict=True))
            for row in rows
        ),
    )


def as_records(answer: Answer) -> list[dict[str, Cell]]:
    """The rows as JSON objects."""
    names = [column.name for column in answer.question.columns]
    return [dict(zip(names, row, strict=True)) for row in answer.rows]


def zero_sum(connection: Connection[Any]) -> dict[str, int]:
    """Currency → debits less credits of all postings, in minor units; anything but 0 is wrong."""
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


def _statement(question: Question, *, one_account: bool) -> str:
    wanted = ", ".join(
        f"{question.expressions.get(column.name, column.name)} AS {column.name}"
        for column in question.columns
    )
    where = "WHERE account_id = %(account_id)s" if one_account else ""
    return f"SELECT {wanted} FROM {question.view} {where} {question.tail} LIMIT %(limit)s"


def _see_that_it_is_there(connection: Connection[Any], account_id: str) -> None:
    found = connection.execute(
        "SELECT FROM finance.accounts WHERE account_id = %s", (account_id,)
    ).fetchone()
    if found is None:
        raise UnknownAccount(
            f"account {account_id}: the read models have none of that id; see all with "
            "'refundctl query accounts'"
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
        case Kind.SPAN:
            assert isinstance(value, timedelta)
            return value // timedelta(seconds=1)
        case Kind.TEXTS:
            return tuple(value)
        case Kind.TEXT | Kind.NUMBER | Kind.FLAG | Kind.JSON:
            cell: Cell = value
            return cell
