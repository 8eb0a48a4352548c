"""The database role for people and their tools: it can only read the finance views."""

from __future__ import annotations

from typing import Any

import structlog
from psycopg import Connection, sql
from psycopg.errors import InsufficientPrivilege

from ledger.log.access import read_matrix
from projector.rights.granting import is_there, limit, make_role

READER = "finance_ro"
_LARGE_OBJECTS = "lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea)"

log = structlog.get_logger()


def let_read(connection: Connection[Any], role: str = READER, *, anew: bool = False) -> bool:
    """Create the role if it is missing, and let it read schema finance; False if it is still
    missing. `anew`: the views were just created, and need new grants.

    The role may log in but has no password: set one. If this user may not create roles, the log
    says what an administrator must do; everything else works.
    """
    if not is_there(connection, role) and not _make(connection, role):
        log.warning(
            "a role is missing, and this user may not create it: nobody can use it until an "
            "administrator has created it and this program has started again",
            role=role,
            administrator_runs=f'CREATE ROLE "{role}" LOGIN',
        )
        return False
    if anew or not _may_read(connection, role):
        _grant(connection, role)
    return True


def _make(connection: Connection[Any], role: str) -> bool:
    if not make_role(connection, role):
        return False
    limit(connection, role, read_matrix().roles["finance"].settings)
    return True


def _may_read(connection: Connection[Any], role: str) -> bool:
    row = connection.execute("SELECT has_schema_privilege(%s, 'finance', 'USAGE')", (role,))
    return row.fetchone() == (True,)


def _grant(connection: Connection[Any], role: str) -> None:
    """Grant read access to schema finance. The rights to create temporary tables and large objects,
    which PostgreSQL gives to everyone by default, are revoked: only the owner can write.
    """
    name, database = sql.Identifier(role), sql.Identifier(connection.info.dbname)
    for statement in (
        sql.SQL("GRANT USAGE ON SCHEMA finance TO {}").format(name),
        sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA finance TO {}").format(name),
        sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA finance TO {}").format(name),
        sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(database),
    ):
        connection.execute(statement)
    try:
        with connection.transaction():
            connection.execute(f"REVOKE EXECUTE ON FUNCTION {_LARGE_OBJECTS} FROM PUBLIC".encode())
    except InsufficientPrivilege:
        log.info("everyone can use large objects: only a superuser can revoke this", role=role)
