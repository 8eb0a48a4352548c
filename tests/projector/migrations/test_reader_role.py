"""The role finance_ro: every grant tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection, errors, sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from structlog.testing import capture_logs

from projector.migrations import migrate
from projector.migrations.reader_role import READER, let_read
from tests.projector.conftest import catch_up
from tests.projector.mixed import mixed
from tests.projector.shown import show
from tests.projector.stories import MemorySource, told

RELATIONS = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'S', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_t%'
ORDER BY 1, 2
"""
SCHEMAS = """
SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_t%' AND nspname <> 'pg_catalog'
"""
UNWRITABLE = (
    errors.InsufficientPrivilege,
    errors.WrongObjectType,  # a view is nothing to truncate
    errors.ObjectNotInPrerequisiteState,  # a view that adds up takes no row
)
FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'finance'::regnamespace
"""


@pytest.fixture
def reader(migrated: str) -> Iterator[Connection[Any]]:
    """A connection that is finance_ro, and tries to write although told not to by default."""
    show(migrated, mixed(1))
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("SET ROLE finance_ro")
        connection.execute("SET default_transaction_read_only = off")
        yield connection


def relations(connection: Connection[Any]) -> list[sql.Identifier]:
    """Every table and view of the database but PostgreSQL's own."""
    return [sql.Identifier(*each) for each in connection.execute(RELATIONS).fetchall()]


def in_finance(name: sql.Identifier) -> bool:
    return name._obj[0] == "finance"


def refused(connection: Connection[Any], statement: sql.Composed) -> bool:
    """Whether it may not do this; anything else that goes wrong is raised."""
    try:
        connection.execute(statement)
    except errors.InsufficientPrivilege:
        return True
    return False


def test_every_finance_view_can_be_read(reader: Connection[Any]) -> None:
    found = [name for name in relations(reader) if in_finance(name)]
    assert len(found) > 25
    for name in found:
        reader.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(name))


def test_every_finance_function_can_be_called(reader: Connection[Any]) -> None:
    calls = {
        "finance.instant(bigint)": "SELECT finance.instant(0)",
        "finance.micros(timestamp with time zone)": "SELECT finance.micros(now())",
        "finance.half_up(numeric,numeric)": "SELECT finance.half_up(1, 2)",
        "finance.now()": "SELECT finance.now()",
        "finance.told(timestamp with time zone)": "SELECT finance.told(now())",
        "finance.reservation_values_on(date)": "TABLE finance.reservation_holdings",
        "finance.refund_totals_by_year(integer,text,timestamp with time zone,"
        "timestamp with time zone)": "SELECT * FROM finance.refund_totals_by_year(4, 'UTC')",
    }
    for (name,) in reader.execute(FUNCTIONS).fetchall():
        call = calls.get(name) or f"SELECT * FROM {name.partition('(')[0]}(NULL, NULL)"
        reader.execute(call.encode())


def test_nothing_else_can_be_read(reader: Connection[Any]) -> None:
    others = [name for name in relations(reader) if not in_finance(name)]
    assert len(others) > 12
    for name in others:
        assert refused(reader, sql.SQL("SELECT * FROM {} LIMIT 1").format(name)), name


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {} DEFAULT VALUES",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "LOCK TABLE {} IN EXCLUSIVE MODE",
        "ALTER TABLE {} RENAME TO mine",
    ],
)
def test_nothing_can_be_written(reader: Connection[Any], statement: str) -> None:
    for name in relations(reader):
        with pytest.raises(UNWRITABLE), reader.transaction():
            reader.execute(sql.SQL(statement).format(name))


def test_the_settings_of_finance_cannot_be_changed(reader: Connection[Any]) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        reader.execute("UPDATE finance.fiscal_year SET first_month = 4")


def test_nothing_can_be_made(reader: Connection[Any]) -> None:
    for (schema,) in reader.execute(SCHEMAS).fetchall():
        table = sql.SQL("CREATE TABLE {} (one integer)").format(sql.Identifier(schema, "mine"))
        assert refused(reader, table), schema
    for statement in (
        "CREATE TEMPORARY TABLE mine (one integer)",
        "CREATE SCHEMA mine",
        "SELECT lo_create(0)",
        "SELECT lo_creat(-1)",
        "SELECT lo_from_bytea(0, 'x')",
        "CREATE ROLE mine",
        "COPY finance.balances TO '/tmp/mine'",
    ):
        assert refused(reader, sql.SQL(statement).format()), statement


def test_a_session_of_its_own_is_read_only_and_has_a_time_limit(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        row = connection.execute(
            "SELECT rolconfig, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls"
            " FROM pg_roles WHERE rolname = %s",
            (READER,),
        ).fetchone()
    assert row is not None
    assert set(row[0]) == {
        "statement_timeout=30s",
        "lock_timeout=5s",
        "idle_session_timeout=8h",
        "idle_in_transaction_session_timeout=60s",
        "default_transaction_read_only=on",
    }
    assert row[1:] == (True, False, False, False, False)


def test_the_grants_are_there_again_after_the_views_were_made_anew(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("UPDATE refund_ledger.migrations SET sha256 = 'x' WHERE name ~ 'views'")
    migrate(migrated)
    with psycopg.connect(migrated) as connection:
        connection.execute("SET ROLE finance_ro")
        connection.execute("SELECT * FROM finance.quotas")


def test_who_may_not_create_roles_is_told_what_an_administrator_is_to_do(migrated: str) -> None:
    user, role = f"owner_{uuid4().hex[:8]}", f"reader_{uuid4().hex[:8]}"
    with psycopg.connect(migrated, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {user}".encode())
        try:
            with psycopg.connect(make_conninfo(migrated)) as connection, capture_logs() as told:
                connection.execute(f"SET ROLE {user}".encode())
                assert let_read(connection, role) is False
                assert connection.execute("SELECT 1").fetchone() == (1,)
        finally:
            admin.execute(f"DROP ROLE {user}".encode())
    assert (told[0]["role"], told[0]["log_level"]) == (role, "warning")
    assert told[0]["administrator_runs"] == f'CREATE ROLE "{role}" LOGIN'


def test_a_reader_in_a_long_transaction_does_not_hold_back_the_projector(migrated: str) -> None:
    story = told()
    source = MemorySource(story.partition_count)
    source.append({p: values[: len(values) // 2] for p, values in story.values.items()})
    catch_up(migrated, source)
    with psycopg.connect(migrated) as reader:
        reader.execute("SET ROLE finance_ro")
        before = [reader.execute(_whole(name)).fetchall() for name in _finance(reader)]
        source.append({p: values[len(values) // 2 :] for p, values in story.values.items()})
        catch_up(migrated, source)
        with psycopg.connect(migrated) as other:
            shown = other.execute("SELECT sum(events) FROM finance.reached").fetchone()
        assert reader.info.transaction_status == TransactionStatus.INTRANS
        assert [reader.execute(_whole(name)).fetchall() for name in _finance(reader)] != before
    assert shown == (len(story.events),)


def _finance(connection: Connection[Any]) -> list[sql.Identifier]:
    return [name for name in relations(connection) if in_finance(name)]


def _whole(name: sql.Identifier) -> sql.Composed:
    return sql.SQL("SELECT * FROM {}").format(name)
