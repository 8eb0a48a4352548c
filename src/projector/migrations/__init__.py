"""Migrates a database: tables by numbered files, views as they are now.

The numbered files here create tables. Each runs once, in order, and is never edited afterwards. The
files of `projector/finance` create the views for people. A view contains no data, so all views are
created again whenever one has changed.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import structlog
from msgspec import Struct
from psycopg import Connection
from psycopg.errors import DependentObjectsStillExist, InsufficientPrivilege

from ledger.log.access import read_matrix
from ledger.values.money import CURRENCY_DIGITS
from projector.migrations.reader_role import let_read
from projector.rights.granting import grant, granted
from projector.rows.writer import READ_MODELS

FOLDER = Path(__file__).parent
FINANCE = FOLDER.parent / "finance"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('refund-ledger:migrations', 0))"
_BOOK = """
CREATE SCHEMA refund_ledger;
CREATE TABLE refund_ledger.migrations (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE refund_ledger.migrations IS 'The migrations this database has been through';
"""
_VIEWS = "finance views"
_DROP_VIEWS = """
SELECT 'DROP VIEW ' || string_agg(c.oid::regclass::text, ', ') FROM pg_class c
WHERE c.relnamespace = 'finance'::regnamespace AND c.relkind = 'v'
"""
_DROP_FUNCTIONS = """
SELECT 'DROP FUNCTION ' || string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc p
WHERE p.pronamespace = 'finance'::regnamespace
"""

log = structlog.get_logger()


class WrongDatabase(Exception):
    """The database is not one this program may write to; the message says what differs."""


class Migration(Struct, frozen=True, kw_only=True):
    """A numbered file."""

    name: str
    sql: bytes

    @property
    def digest(self) -> str:
        """The file's SHA-256."""
        return sha256(self.sql).hexdigest()


def migrate(conninfo: str, folder: Path = FOLDER) -> tuple[str, ...]:
    """Bring the database up to date; the names of what was applied. Safe to call by many at once.

    All or nothing, in one transaction. Raises WrongDatabase, and changes nothing, if an applied
    file was edited, if the database has a migration that this program does not have, or if this
    role may not make a change.
    """
    try:
        with psycopg.connect(conninfo) as connection:
            applied = _migrated(connection, folder)
    except InsufficientPrivilege as error:
        raise WrongDatabase(
            f"the database is not up to date, and this role may not change it "
            f"({error.diag.message_primary}): run 'refundctl init' as the owner of the database, "
            "with --grant where its roles have their rights by that, and start again"
        ) from error
    if applied:
        log.info("database migrated", applied=applied)
    return applied


def unapplied(connection: Connection[Any]) -> tuple[list[str], list[str]]:
    """The names that the database lacks, and those that this program lacks. Changes nothing."""
    found = connection.execute("SELECT to_regclass('refund_ledger.migrations')").fetchone()
    rows: list[tuple[str]] = []
    if found is not None and found[0] is not None:
        rows = connection.execute("SELECT name FROM refund_ledger.migrations").fetchall()
    known, ours = {name for (name,) in rows}, {file.name for file in migrations_in(FOLDER)}
    return sorted(ours - known), sorted(known - ours - {_VIEWS})


def migrations_in(folder: Path) -> tuple[Migration, ...]:
    """The numbered files of a folder, in order."""
    files = sorted(folder.glob("[0-9]*.sql"))
    return tuple(Migration(name=file.name, sql=file.read_bytes()) for file in files)


def finance_views(read_models: str = READ_MODELS) -> str:
    """The SQL of every finance view, in the order of their dependencies."""
    files = sorted(FINANCE.glob("[0-9]*.sql"))
    text = "\n".join(file.read_text() for file in files)
    return text.replace(f"{READ_MODELS}.", f"{read_models}.")


def _migrated(connection: Connection[Any], folder: Path) -> tuple[str, ...]:
    connection.execute(_LOCK)
    connection.execute("SET LOCAL lock_timeout = '5s'")  # if a reader holds a lock, try again later
    known = _known(connection)
    pending = _pending(migrations_in(folder), known)
    standing = known.get(_VIEWS)
    if pending and standing is not None:  # a view would keep referring to its old table
        _drop_views(connection)
        standing = None
    for migration in pending:
        connection.execute(migration.sql)
        _remember(connection, migration.name, migration.digest)
    made = _make_views(connection, standing)
    let_read(connection, anew=made)
    if (pending or made) and granted(connection, matrix := read_matrix()):
        grant(connection, matrix)
    return (*(migration.name for migration in pending), *([_VIEWS] if made else []))


def _known(connection: Connection[Any]) -> dict[str, str]:
    """What was applied, by name; the book of it is made where there is none. Whoever finds a
    database up to date needs to read only.
    """
    if connection.execute("SELECT to_regclass('refund_ledger.migrations')").fetchone() == (None,):
        connection.execute(_BOOK)
    return dict(connection.execute("SELECT name, sha256 FROM refund_ledger.migrations").fetchall())


def _pending(files: tuple[Migration, ...], known: dict[str, str]) -> list[Migration]:
    unknown = sorted(set(known) - {file.name for file in files} - {_VIEWS})
    if unknown:
        raise WrongDatabase(
            f"the database has migration {unknown[-1]}, which this program does not have: run the "
            "program's newer version"
        )
    for file in files:
        applied = known.get(file.name)
        if applied is not None and applied != file.digest:
            raise WrongDatabase(
                f"migration {file.name} was edited after it was applied to this database (applied: "
                f"sha256 {applied[:12]}…, now: {file.digest[:12]}…): restore the file and put the "
                "change in a new migration"
            )
    return [file for file in files if file.name not in known]


def _make_views(connection: Connection[Any], standing: str | None) -> bool:
    text = finance_views().encode()
    digest = sha256(text + repr(sorted(CURRENCY_DIGITS.items())).encode()).hexdigest()
    if digest == standing:
        return False
    _fill_currencies(connection)
    _drop_views(connection)
    connection.execute(text)
    _remember(connection, _VIEWS, digest)
    return True


def _drop_views(connection: Connection[Any]) -> None:
    for find_all in (_DROP_VIEWS, _DROP_FUNCTIONS):
        found = connection.execute(find_all.encode()).fetchone()
        if found is not None and found[0] is not None:
            _drop(connection, found[0])


def _drop(connection: Connection[Any], statement: str) -> None:
    try:
        connection.execute(statement.encode())
    except DependentObjectsStillExist as error:
        raise WrongDatabase(
            "the views of schema finance must be created again, but your own objects depend on "
            f"them: {error.diag.message_detail}. Drop these, start again, and create them again"
        ) from error


def _fill_currencies(connection: Connection[Any]) -> None:
    units = [(code, digits, f"1e-{digits}") for code, digits in CURRENCY_DIGITS.items()]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO finance.currencies (code, digits, unit)"
            " VALUES (%s, %s, round(%s::numeric, %s))"
            " ON CONFLICT (code) DO UPDATE SET digits = excluded.digits, unit = excluded.unit",
            [(code, digits, unit, digits) for code, digits, unit in units],
        )


def _remember(connection: Connection[Any], name: str, digest: str) -> None:
    connection.execute(
        "INSERT INTO refund_ledger.migrations (name, sha256) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, applied_at = now()",
        (name, digest),
    )
