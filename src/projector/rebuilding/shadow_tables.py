"""Shadow tables: created like the live ones, filled separately, swapped in atomically.

All definitions are read from the database catalogue, so that every object that depends on a table,
ours or not, is moved to the new table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection, sql
from psycopg.errors import DependentObjectsStillExist

from projector.migrations import WrongDatabase
from projector.rows.writer import READ_MODELS

BESIDE = "read_models_beside"
"""The schema of the tables that are being filled."""
_OLD = "read_models_old"
_PLAN = """
SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s
"""
_OWNER = """
SELECT set_config('role', tableowner, false) FROM pg_tables
WHERE schemaname = 'read_models' AND tableowner <> current_user
    AND pg_has_role(current_user, tableowner, 'SET') LIMIT 1
"""
_CONSTRAINTS = """
SELECT format('ALTER TABLE %%I.%%I ADD CONSTRAINT %%I %%s', %(schema)s::text, %(table)s::text,
    conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = %(oid)s AND contype IN ('p', 'u') ORDER BY conname
"""
_INDEXES = """
SELECT replace(pg_get_indexdef(i.indexrelid),
    format(' ON %%I.%%I ', %(live)s::text, %(table)s::text),
    format(' ON %%I.%%I ', %(schema)s::text, %(table)s::text))
FROM pg_index i WHERE i.indrelid = %(oid)s
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
ORDER BY i.indexrelid
"""
_TRIGGERS = """
SELECT replace(pg_get_triggerdef(oid), format(' ON %%I.%%I ', %(live)s::text, %(table)s::text),
    format(' ON %%I.%%I ', %(schema)s::text, %(table)s::text))
FROM pg_trigger WHERE tgrelid = %(oid)s AND NOT tgisinternal ORDER BY tgname
"""
_POLICIES = """
SELECT format('ALTER TABLE %%I.%%I %%s ROW LEVEL SECURITY', %(schema)s::text, %(table)s::text, word)
FROM pg_class, (VALUES ('ENABLE'), ('FORCE')) words (word)
WHERE oid = %(oid)s AND CASE word WHEN 'ENABLE' THEN relrowsecurity ELSE relforcerowsecurity END
UNION ALL
SELECT format('CREATE POLICY %%I ON %%I.%%I AS %%s FOR %%s TO %%s USING (%%s)', policyname,
    %(schema)s::text, %(table)s::text, permissive, cmd, array_to_string(roles, ', '), qual)
FROM pg_policies WHERE schemaname = %(live)s AND tablename = %(table)s
"""
_EXTRAS = """
SELECT format('COMMENT ON TABLE %%I.%%I IS %%L', %(schema)s::text, %(table)s::text,
    obj_description(%(oid)s, 'pg_class'))
UNION ALL
SELECT format('REVOKE ALL ON TABLE %%I.%%I FROM CURRENT_USER', %(schema)s::text, %(table)s::text)
FROM pg_class WHERE oid = %(oid)s AND relacl IS NOT NULL
UNION ALL
SELECT format('GRANT %%s ON TABLE %%I.%%I TO %%s', a.privilege_type, %(schema)s::text,
    %(table)s::text, CASE a.grantee WHEN 0 THEN 'PUBLIC' WHEN c.relowner THEN 'CURRENT_USER'
        ELSE a.grantee::regrole::text END)
FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = %(oid)s
"""
_STANDING_ON = """
SELECT DISTINCT c.oid, c.oid::regclass::text, c.relkind::text, pg_get_viewdef(c.oid),
    coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '')
FROM pg_depend d
JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
JOIN pg_class c ON c.oid = r.ev_class
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%s) AND c.oid <> d.refobjid
ORDER BY c.oid
"""
_FUNCTIONS = """
SELECT DISTINCT pg_get_functiondef(d.objid) FROM pg_depend d
WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = ANY(%s)
"""
_WAIT_FOR_READERS = "SET LOCAL lock_timeout = '200ms'; SET LOCAL statement_timeout = '500ms'"
"""How long new readers may wait while the swap waits for earlier readers."""


def plan_of(connection: Connection[Any]) -> str | None:
    """The identity of the shadow tables; None if there are none."""
    row = connection.execute(_PLAN, (BESIDE,)).fetchone()
    return row[0] if row else None


def act_as_owner(connection: Connection[Any]) -> None:
    """Act as the owner of the live tables, where that is another role that this one may act as."""
    connection.execute(_OWNER)


def make(connection: Connection[Any], names: Sequence[str], plan: str) -> None:
    """Create empty tables like the live ones with these names, within the caller's transaction.

    Tables of an earlier rebuild are dropped.
    """
    _run(connection, "SET LOCAL search_path = ''")
    _run(connection, sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(BESIDE)))
    _run(connection, sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(BESIDE)))
    comment = sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(BESIDE), plan)
    _run(connection, comment)
    for name in names:
        _make_like(connection, name)


def analyze(connection: Connection[Any], names: Sequence[str]) -> None:
    """Collect the planner's statistics of the tables beside; they move with a table."""
    for name in names:
        _run(connection, sql.SQL("ANALYZE {}").format(sql.Identifier(BESIDE, name)))


def put_in_place(connection: Connection[Any], names: Sequence[str]) -> None:
    """Replace the live tables by the shadow tables, within the caller's transaction.

    1. Lock the tables, waiting only briefly for readers; psycopg's LockNotAvailable or
    QueryCanceled means that readers block them. 2. Read which objects depend on the live tables. 3.
    Swap the tables. 4. Redefine the dependent objects on the new tables. 5. Drop the old tables.

    Raises WrongDatabase if a dependent object cannot be moved.
    """
    _run(connection, "SET LOCAL search_path = ''")
    old = [_oid(connection, READ_MODELS, name) for name in names]
    # 1
    views = connection.execute(_STANDING_ON, (old,)).fetchall()
    _run(connection, _WAIT_FOR_READERS)
    _lock(connection, [name for _, name, kind, _, _ in views if kind == "v"], names)
    _run(connection, "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '60s'")
    # 2
    views = connection.execute(_STANDING_ON, (old,)).fetchall()
    functions = connection.execute(_FUNCTIONS, (old,)).fetchall()
    # 3
    _run(connection, sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_OLD)))
    for name in names:
        _move(connection, READ_MODELS, name, _OLD)
        _move(connection, BESIDE, name, READ_MODELS)
    # 4
    for _, view, kind, text, options in views:
        if kind == "v":
            _run(connection, f"CREATE OR REPLACE VIEW {view}{options} AS {text}")
    for (text,) in functions:
        _run(connection, text)
    # 5
    _drop_old(connection, names)
    _run(connection, sql.SQL("DROP SCHEMA {}").format(sql.Identifier(BESIDE)))


def _make_like(connection: Connection[Any], name: str) -> None:
    live, beside = sql.Identifier(READ_MODELS, name), sql.Identifier(BESIDE, name)
    oid = _oid(connection, READ_MODELS, name)
    row = connection.execute("SELECT reloptions FROM pg_class WHERE oid = %s", (oid,)).fetchone()
    options = f" WITH ({', '.join(row[0])})" if row and row[0] else ""
    like = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES)")
    _run(connection, like.format(beside, live).as_string(connection) + options)
    values = {"schema": BESIDE, "live": READ_MODELS, "table": name, "oid": oid}
    for statement in (_CONSTRAINTS, _INDEXES, _TRIGGERS, _POLICIES, _EXTRAS):
        for (text,) in connection.execute(statement, values).fetchall():
            _run(connection, text)


def _lock(connection: Connection[Any], views: Sequence[str], names: Sequence[str]) -> None:
    live = [sql.Identifier(READ_MODELS, name).as_string(connection) for name in names]
    for each in (views, live):
        if each:
            _run(connection, f"LOCK TABLE {', '.join(each)} IN ACCESS EXCLUSIVE MODE")


def _drop_old(connection: Connection[Any], names: Sequence[str]) -> None:
    for name in names:
        try:
            _run(connection, sql.SQL("DROP TABLE {}").format(sql.Identifier(_OLD, name)))
        except DependentObjectsStillExist as error:
            detail = (error.diag.message_detail or "").replace(_OLD, READ_MODELS)
            raise WrongDatabase(
                f"table {READ_MODELS}.{name} must be replaced, but your own objects depend on it: "
                f"{detail}. Drop these, run the rebuild again, and create them again"
            ) from error
    _run(connection, sql.SQL("DROP SCHEMA {}").format(sql.Identifier(_OLD)))


def _move(connection: Connection[Any], source: str, name: str, target: str) -> None:
    statement = sql.SQL("ALTER TABLE {} SET SCHEMA {}")
    _run(connection, statement.format(sql.Identifier(source, name), sql.Identifier(target)))


def _oid(connection: Connection[Any], schema: str, name: str) -> int:
    row = connection.execute(
        "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'r'",
        (schema, name),
    ).fetchone()
    if row is None:
        raise WrongDatabase(
            f"table {schema}.{name} is not in the database: restore it, or start with an empty one"
        )
    return int(row[0])


def _run(connection: Connection[Any], statement: str | sql.Composed) -> None:
    """Run a statement without parameters, so that a percent sign in it is not special."""
    text = statement if isinstance(statement, str) else statement.as_string(connection)
    connection.execute(text.encode())
