"""Policies that show finance the rows of its own groups of accounts alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from psycopg import Connection

from ledger.log.access import EVERYBODY, Right

RowsSeen = Literal["all", "groups"]

_KEPT_APART = """
SELECT relforcerowsecurity FROM pg_class WHERE oid = to_regclass('read_models.accounts')
"""
_TABLES = """
SELECT format('%I.%I', nspname, relname), relrowsecurity AND relforcerowsecurity
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = 'read_models' AND relkind = 'r' ORDER BY 1
"""
_POLICIES = """
SELECT format('%I.%I', schemaname, tablename), policyname::text, roles::text[], qual, cmd,
    permissive
FROM pg_policies WHERE schemaname = 'read_models' ORDER BY 1, 2
"""
_VIEWS = """
SELECT format('%I.%I', nspname, relname), 'security_invoker=true' = ANY(reloptions)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = 'finance' AND relkind = 'v' ORDER BY 1
"""
_CONDITIONS = {
    "ALL": "true",
    "GROUPS": "account_id IN (SELECT account_id FROM read_models.visible_accounts)",
}
_AS_STORED = {
    "true": "ALL",
    "(account_id IN ( SELECT visible_accounts.account_id\n"
    "   FROM read_models.visible_accounts))": "GROUPS",
}


def kept_apart(connection: Connection[Any]) -> bool:
    """Whether finance sees rows by groups of accounts."""
    return connection.execute(_KEPT_APART).fetchone() == (True,)


def things(connection: Connection[Any]) -> list[tuple[str, str]]:
    """Every table that has policies then, and every view that asks as whoever reads it."""
    rows = [*connection.execute(_TABLES), *connection.execute(_VIEWS)]
    return [("rows", name) for name, _ in rows]


def rights(connection: Connection[Any], who: Mapping[str, str]) -> set[Right]:
    """What the policies show, by principal; what is not one of ours has its own condition."""
    protected = {name for name, both in connection.execute(_TABLES) if both}
    found = {
        Right(principal=who.get(role, role), kind="rows", name=table, operation=shown)
        for table, _, roles, condition, command, permissive in connection.execute(_POLICIES)
        for role in roles
        if table in protected
        for shown in [_shown(condition, command, permissive)]
    }
    invoked = {name for name, invoker in connection.execute(_VIEWS) if invoker}
    return found | {
        Right(principal=EVERYBODY, kind="rows", name=name, operation="INVOKER") for name in invoked
    }


def keep_apart(connection: Connection[Any], seen: RowsSeen) -> None:
    """Have tables with policies, and views that ask as whoever reads them; or neither."""
    on = seen == "groups"
    words = ("ENABLE", "FORCE") if on else ("DISABLE", "NO FORCE")
    for name, _ in connection.execute(_TABLES).fetchall():
        for word in words:
            _run(connection, f"ALTER TABLE {name} {word} ROW LEVEL SECURITY")
    for name, _ in connection.execute(_VIEWS).fetchall():
        option = "SET (security_invoker = true)" if on else "RESET (security_invoker)"
        _run(connection, f"ALTER VIEW {name} {option}")
    if not on:
        _drop_policies(connection)


def write_policies(
    connection: Connection[Any], wanted: Iterable[Right], roles: Mapping[str, str]
) -> None:
    """Replace every policy by these, and protect every table and view."""
    keep_apart(connection, "groups")
    _drop_policies(connection)
    for right in sorted(wanted):
        if right.operation in _CONDITIONS:
            _run(
                connection,
                f"CREATE POLICY {right.principal}_sees ON {right.name} FOR SELECT"
                f" TO {roles[right.principal]} USING ({_CONDITIONS[right.operation]})",
            )


def _drop_policies(connection: Connection[Any]) -> None:
    for table, policy, *_ in connection.execute(_POLICIES).fetchall():
        quoted = policy.replace('"', '""')
        _run(connection, f'DROP POLICY "{quoted}" ON {table}')


def _shown(condition: str | None, command: str, permissive: str) -> str:
    shown = _AS_STORED.get(condition or "")
    if shown is None or (command, permissive) != ("SELECT", "PERMISSIVE"):
        return f"{permissive} {command} {condition}"
    return shown


def _run(connection: Connection[Any], statement: str) -> None:
    connection.execute(statement.encode())
