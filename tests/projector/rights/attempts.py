"""One attempt for each operation on each kind of thing: whether the database allows it.

Each attempt is rolled back, and changes nothing in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import Connection, errors
from psycopg.conninfo import make_conninfo

PASSWORD = "of-the-tests"
"""Of every role; a server that trusts the loopback does not ask for it."""

ATTEMPTS: Mapping[str, Mapping[str, str]] = {
    "server": {
        "SUPERUSER": "SET LOCAL session_replication_role = replica",
        "CREATEROLE": "CREATE ROLE never_made",
    },
    "role": {"SET": "SET LOCAL ROLE {name}"},
    "database": {
        "CONNECT": "",
        "CREATE": "CREATE SCHEMA never_made",
        "TEMPORARY": "CREATE TEMPORARY TABLE never_made ()",
    },
    "schema": {
        "USAGE": "SELECT FROM {name}.never_made",
        "CREATE": "CREATE TABLE {name}.never_made ()",
    },
    "table": {
        "SELECT": "SELECT * FROM {name} LIMIT 0",
        "INSERT": "INSERT INTO {name} SELECT WHERE false",
        "UPDATE": "UPDATE {name} SET {column} = NULL WHERE false",
        "DELETE": "DELETE FROM {name} WHERE false",
        "TRUNCATE": "TRUNCATE {name}",
        "MAINTAIN": "REINDEX TABLE {name}",
        "TRIGGER": "CREATE TRIGGER never_made BEFORE UPDATE ON {name} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "OWN": "COMMENT ON TABLE {name} IS NULL",
    },
    "view": {
        "SELECT": "SELECT * FROM {name} LIMIT 0",
        "UPDATE": "UPDATE {name} SET {column} = NULL WHERE false",
        "OWN": "COMMENT ON VIEW {name} IS NULL",
    },
    "rows": {},
    "function": {
        "EXECUTE": "SELECT {call}",
        "OWN": "COMMENT ON FUNCTION {name} IS NULL",
    },
}
"""By kind and operation, the statement that takes that right and no other but USAGE."""

_NOBODY_MAY = (errors.ObjectNotInPrerequisiteState, errors.FeatureNotSupported)
"""What a view says that cannot be updated."""
_COLUMN = """
SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0
    AND attgenerated = '' LIMIT 1
"""
_CALL = """
SELECT format('%%I.%%I(%%s)', nspname, proname, (
    SELECT string_agg(format('NULL::%%s', argument::regtype), ', ')
    FROM unnest(proargtypes) argument))
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE p.oid = %s::regprocedure
"""


def give_passwords(connection: Connection[Any], roles: Iterable[str]) -> None:
    """Once: roles belong to the server, which other tests use at the same time."""
    for role in roles:
        row = connection.execute(
            "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = %s", (role,)
        ).fetchone()
        if row == (True,):
            connection.execute(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'".encode())


class Attempts:
    """Tries as a role, on a connection of a superuser."""

    def __init__(self, connection: Connection[Any], role: str) -> None:
        self._connection, self._role = connection, role

    def allowed(self, kind: str, name: str, operation: str) -> bool:
        """Whether the role may. A statement that is allowed may still fail on what it does."""
        if operation == "CONNECT":
            return self._connects()
        statement = self._statement(kind, name, ATTEMPTS[kind][operation])
        try:
            with self._connection.transaction(force_rollback=True):
                self._connection.execute(f'SET SESSION AUTHORIZATION "{self._role}"'.encode())
                self._connection.execute(statement.encode())
        except errors.InsufficientPrivilege:
            return False
        except psycopg.Error as error:
            return not (kind == "view" and isinstance(error, _NOBODY_MAY))
        return True

    def _connects(self) -> bool:
        known = self._connection.info
        conninfo = make_conninfo(known.dsn, user=self._role, password=PASSWORD)
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError as error:
            if "permission denied for database" not in str(error):
                raise
            return False
        return True

    def _statement(self, kind: str, name: str, text: str) -> str:
        if kind in {"table", "view"} and "{column}" in text:
            return text.format(name=name, column=self._one(_COLUMN, name))
        if kind == "function" and "{call}" in text:
            return text.format(call=self._one(_CALL, name))
        return text.format(name=name)

    def _one(self, query: str, name: str) -> str:
        row: Sequence[Any] | None = self._connection.execute(query.encode(), (name,)).fetchone()
        assert row is not None
        return str(row[0])
