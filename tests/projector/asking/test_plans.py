"""Who asks about one account has that account's rows read, however many accounts there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import Connection, Cursor, sql

from console.web.pages.accounts.recycle_bin import EVERY_STATE, stays_of
from ledger.values.instants import from_datetime
from projector.asking.event_search import Sought
from projector.asking.event_search import prepared as prepared_search
from projector.asking.queries import Moment, Selection, ask, prepared
from projector.questions import QUESTIONS, Question
from projector.rows.writer import READ_MODELS
from projector.views import VIEWS
from tests.projector.golden_queries import fill

COPIES = 300
ROWS, MOST = 10, 600
"""Of a page, and how many rows of a table it may go through; the tables have thousands."""
SUMS = frozenset({"trial", "trial-balance", "refusals-by-rule"})
"""Each row is of all rows of a table, or of an index of it."""
BINS = ("ISOLATED", "RESTORED", "DESTROYED", EVERY_STATE)
"""Those of the page; what was isolated anew is looked for among all that is isolated."""
MULTIPLY = """
INSERT INTO {table} SELECT copy.* FROM {table} t, generate_series(1, {copies}) n,
    jsonb_populate_record(t, jsonb_build_object('account_id', t.account_id || '-' || n,
        'partition', (to_jsonb(t) ->> 'partition')::integer + 100 * n)) copy
"""
ACCOUNTS = "SELECT account_id FROM read_models.accounts ORDER BY account_id"
ANSWERABLE = "SELECT max(reached_until) - interval '1 second' FROM finance.reached"
VIEWS_OF_ACCOUNTS = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'finance'::regnamespace AND c.relkind = 'v' AND a.attname = 'account_id'
"""
OF_VIEW = "SELECT * FROM finance.{} WHERE account_id = %(account_id)s"


@pytest.fixture
def accounts(database: str) -> list[str]:
    """Those of the made-up ledger, which is in the database with three hundred copies of each."""
    fill(database)
    with psycopg.connect(database, autocommit=True) as connection:
        found = [account for (account,) in connection.execute(ACCOUNTS)]
        connection.execute("SET default_statistics_target = 1000")  # every row is in the sample
        for view in VIEWS:
            table = sql.Identifier(READ_MODELS, view.TABLE.name)
            copies = sql.Literal(COPIES)
            connection.execute(sql.SQL(MULTIPLY).format(table=table, copies=copies))
            connection.execute(sql.SQL("ANALYZE {}").format(table))
    return found


@pytest.fixture
def connection(database: str, accounts: list[str]) -> Iterator[Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def test_no_question_about_one_account_reads_the_rows_of_others(
    connection: Connection[Any], accounts: list[str]
) -> None:
    of_accounts = [question for question in QUESTIONS.values() if question.of_accounts]
    statements = {
        f"{question.name}, {'past' if past else 'present'}": prepared(
            question,
            Selection(account_id="acct-1", moment=Moment(as_of=0, known_at=0) if past else None),
        )[0].decode()
        for question in of_accounts
        for past in {False, question.at is not None}
    }
    assert read_of_others(connection, accounts, statements) == []


def test_no_page_of_a_list_reads_more_than_its_rows_need(connection: Connection[Any]) -> None:
    row = connection.execute(ANSWERABLE).fetchone()
    assert row is not None
    past = Moment(as_of=from_datetime(row[0]), known_at=from_datetime(row[0]))
    found = []
    lists = [question for question in QUESTIONS.values() if question.name not in SUMS]
    for question in [*lists, *map(stays_of, BINS)]:
        for at in {None, past if question.at else None}:
            for statement, values in statements_of_pages(connection, question, at):
                read = read_in_all(connection, statement, values)
                found += [
                    f"{question.name}, {'past' if at else 'present'}: {count} rows of {table}"
                    for table, count in read.items()
                    if count > MOST
                ]
    assert found == []


def test_no_view_that_is_asked_about_one_account_reads_the_rows_of_others(
    connection: Connection[Any], accounts: list[str]
) -> None:
    views = [view for (view,) in connection.execute(VIEWS_OF_ACCOUNTS)]
    statements = {view: OF_VIEW.format(view) for view in views}
    assert read_of_others(connection, accounts, statements) == []


def test_no_search_of_events_reads_a_whole_table(
    connection: Connection[Any], accounts: list[str]
) -> None:
    for sought, index in (
        (Sought(), "outcomes_pkey"),
        (Sought(account="acct-1"), "outcomes_of_accounts"),
        (Sought(event="AccountOpened", account="acct-1"), "outcomes_of_accounts"),
        (Sought(event="CommandRefused"), "outcomes_of_kinds"),
        (Sought(event="MarketplaceRefundWithdrawn"), "outcomes_of_kinds"),
        (Sought(command="no such command"), "outcomes_of_commands"),
        (Sought(correlation="no such story"), "outcomes_of_stories"),
        (Sought(refund="no such refund"), "refunds_ids"),
    ):
        statement, values = prepared_search(sought, 3)
        read = read_at_once(connection, statement.decode(), values)
        assert read, sought
        assert max(read.values()) <= 40, (sought, read)
        plan = connection.execute(b"EXPLAIN (FORMAT JSON) " + statement, values).fetchone()
        assert plan is not None
        used = {each.get("Index Name") for each in nodes(plan[0][0]["Plan"])}
        assert index in used, (sought, used)


def read_of_others(
    connection: Connection[Any], accounts: list[str], statements: Mapping[str, str]
) -> list[str]:
    """Where a statement read more of a read model than the rows of the account it asks about."""
    row = connection.execute(ANSWERABLE).fetchone()
    assert row is not None
    found = []
    for account in accounts:
        own = {view.TABLE.name: rows_of(connection, view.TABLE.name, account) for view in VIEWS}
        values = {"account_id": account, "limit": 1_000, "as_of": row[0], "known_at": row[0]}
        for name, statement in statements.items():
            read = read_at_once(connection, statement, values)
            found += [
                f"{name} of {account}: {count} rows of {table}, which has {own[table]} of it"
                for table, count in read.items()
                if count > own[table]
            ]
    return found


def statements_of_pages(
    connection: Connection[Any], question: Question, at: Moment | None
) -> list[tuple[bytes, dict[str, Any]]]:
    """What the first two pages of a list ask."""
    seen: list[tuple[bytes, dict[str, Any]]] = []

    class Remembering(Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
            if isinstance(query, bytes):  # as the statements of questions are
                seen.append((query, dict(params)))
            return super().execute(query, params, **more)

    before, connection.cursor_factory = connection.cursor_factory, Remembering
    try:
        first = ask(connection, question, limit=ROWS, moment=at)
        ask(connection, question, limit=ROWS, moment=at, after=first.last)
    finally:
        connection.cursor_factory = before
    return seen


def read_in_all(
    connection: Connection[Any], statement: bytes, values: Mapping[str, Any]
) -> Counter[str]:
    """Read model → how many rows of it all scans of the statement went through, however often."""
    explain = b"EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) " + statement
    ((plans,),) = connection.execute(explain, values).fetchall()
    read: Counter[str] = Counter()
    for node in nodes(plans[0]["Plan"]):
        if node.get("Schema") == READ_MODELS:
            count = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            read[node["Relation Name"]] += round(count * node["Actual Loops"])
    return read


def rows_of(connection: Connection[Any], table: str, account: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE account_id = %s")
    row = connection.execute(
        query.format(sql.Identifier(READ_MODELS, table)), (account,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def read_at_once(
    connection: Connection[Any], statement: str, values: Mapping[str, Any]
) -> dict[str, float]:
    """Read model → the most rows of it that one scan of the statement went through."""
    explain = f"EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) {statement}"
    row = connection.execute(explain.encode(), values).fetchone()
    assert row is not None
    read: dict[str, float] = {}
    for node in nodes(row[0][0]["Plan"]):
        if node.get("Schema") == READ_MODELS:
            table = node["Relation Name"]
            count = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            read[table] = max(read.get(table, 0), count)
    return read


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)
