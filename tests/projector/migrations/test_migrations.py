"""Migrations on a real database: once each, in order, never edited, views as they are now."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from ledger.values.money import CURRENCY_DIGITS
from projector.migrations import FOLDER, WrongDatabase, migrate, migrations_in
from projector.rows.writer import READ_MODELS
from projector.views import VIEWS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations that a test may change."""
    return Path(shutil.copytree(FOLDER, tmp_path / "migrations"))


def test_a_second_run_applies_nothing(database: str) -> None:
    assert migrate(database) == (*(m.name for m in migrations_in(FOLDER)), "finance views")
    assert migrate(database) == ()


def test_an_edited_migration_is_refused_by_name(database: str, folder: Path) -> None:
    migrate(database, folder)
    edited = folder / "0002_consumers.sql"
    edited.write_text(edited.read_text() + "-- a word more\n")
    with pytest.raises(WrongDatabase, match=r"0002_consumers\.sql was edited after it was applied"):
        migrate(database, folder)


def test_a_database_from_a_newer_program_is_refused(database: str, folder: Path) -> None:
    (folder / "9999_newer.sql").write_text("SELECT 1;")
    migrate(database, folder)
    with pytest.raises(WrongDatabase, match=r"9999_newer\.sql, which this program does not have"):
        migrate(database)


def test_a_migration_that_fails_leaves_nothing_behind(database: str, folder: Path) -> None:
    (folder / "9999_broken.sql").write_text("CREATE TABLE half (id int); SELECT 1/0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database, folder)
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT to_regclass('half'), to_regnamespace('finance')")
        assert found.fetchone() == (None, None)


def test_views_are_made_anew_where_they_have_changed(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("UPDATE refund_ledger.migrations SET sha256 = 'x' WHERE name ~ 'views'")
        connection.execute("CREATE VIEW finance.left_over AS SELECT 1 AS one")
    assert migrate(migrated) == ("finance views",)
    with psycopg.connect(migrated) as connection:
        row = connection.execute("SELECT to_regclass('finance.left_over')").fetchone()
        assert row == (None,)


def test_a_view_of_somebody_else_on_ours_is_named_and_left_alone(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("UPDATE refund_ledger.migrations SET sha256 = 'x' WHERE name ~ 'views'")
        connection.execute("CREATE VIEW public.mine AS SELECT cash FROM finance.balances")
    with pytest.raises(WrongDatabase, match=r"view mine depends on view finance\.balances"):
        migrate(migrated)


def test_every_currency_has_its_digits_and_its_unit(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        rows = connection.execute("SELECT code, digits, unit::text FROM finance.currencies")
        found = {code: (digits, unit) for code, digits, unit in rows}
    assert {code: digits for code, (digits, _) in found.items()} == CURRENCY_DIGITS
    assert [found[code][1] for code in ("JPY", "CNY", "KWD", "CLF")] == [
        "1",
        "0.01",
        "0.001",
        "0.0001",
    ]


def test_every_finance_view_and_column_says_what_it_is(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        silent = connection.execute(
            "SELECT c.relname, a.attname FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.relnamespace = 'finance'::regnamespace AND c.relkind IN ('v', 'r')"
            " AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)"
        ).fetchall()
    assert silent == []


def test_every_view_knows_its_table_as_it_is(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = %s AND table_type = 'BASE TABLE'"
            " ORDER BY table_name, ordinal_position",
            (READ_MODELS,),
        ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    assert found == {view.TABLE.name: view.TABLE.columns for view in VIEWS}
