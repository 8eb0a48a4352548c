"""Reads from the database catalogue what roles may do, as rights of the access matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from psycopg import Connection

from ledger.log.access import EVERYBODY, Matrix, Right
from projector.rights import rows

SCHEMAS = ("read_models", "consumers", "finance", "refund_ledger", "web", "secrets", "webhooks")
SERVER, DATABASE = "server", "ledger"
"""The names of the two things that are there once."""
POWERS = ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")
"""What a role may do at the whole server, in the order of the query below."""

_OBJECTS = """
WITH found (kind, name, target, owner, acl) AS (
    SELECT 'database', 'ledger'::text, format('DATABASE %%I', datname), datdba,
        coalesce(datacl, acldefault('d', datdba))
    FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 'schema', nspname::text, format('SCHEMA %%I', nspname), nspowner,
        coalesce(nspacl, acldefault('n', nspowner))
    FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
    UNION ALL
    SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'table' END, format('%%s.%%s', nspname, relname),
        format('TABLE %%I.%%I', nspname, relname), relowner,
        coalesce(relacl, acldefault('r', relowner))
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = ANY(%(schemas)s) AND relkind IN ('r', 'v')
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, format('FUNCTION %%s', p.oid::regprocedure),
        proowner, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    WHERE nspname = ANY(%(schemas)s)
)
SELECT kind, name, target, pg_get_userbyid(owner)::text, coalesce((
    SELECT jsonb_agg(jsonb_build_array(
        CASE grantee WHEN 0 THEN '*' ELSE pg_get_userbyid(grantee) END, privilege_type))
    FROM aclexplode(acl)), '[]')
FROM found ORDER BY kind, name
"""
_MEMBERS = """
SELECT pg_get_userbyid(member)::text, pg_get_userbyid(roleid)::text, inherit_option, set_option
FROM pg_auth_members WHERE pg_get_userbyid(member) = ANY(%s)
"""
_POWERS = """
SELECT rolname::text, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
FROM pg_roles WHERE rolname = ANY(%s)
"""


class Standing(Struct, frozen=True, kw_only=True):
    """What there is in the database, and the rights on it that our principals and everybody have.

    `targets` has the SQL that names each thing, by kind and name. `by_group`: finance sees rows by
    groups of accounts.
    """

    targets: Mapping[tuple[str, str], str]
    rights: frozenset[Right]
    by_group: bool


def standing(connection: Connection[Any], matrix: Matrix) -> Standing:
    """Read it; only the principals of the matrix are looked at, and everybody."""
    who = {role.name: principal for principal, role in matrix.roles.items()} | {"*": EVERYBODY}
    connection.execute("SET LOCAL search_path = ''")
    found = connection.execute(_OBJECTS, {"schemas": list(SCHEMAS)}).fetchall()
    rights = {
        Right(principal=who[role], kind=kind, name=name, operation=operation)
        for kind, name, _, owner, acl in found
        for role, operation in [*acl, (owner, "OWN")]
        if role in who
    }
    targets = {(kind, name): target for kind, name, target, _, _ in found}
    rights |= _of_roles(connection, who)
    by_group = rows.kept_apart(connection)
    if by_group:
        targets |= dict.fromkeys(rows.things(connection), "")
        rights |= rows.rights(connection, who | {"public": EVERYBODY})
    return Standing(targets=targets, rights=frozenset(rights), by_group=by_group)


def wanted(matrix: Matrix, found: Standing) -> frozenset[Right]:
    """What the matrix says of everything that is there.

    Roles belong to the server: a power that one takes for rows by groups of accounts may be there
    for another database.
    """
    by_group = matrix.by_group or matrix
    elsewhere = {right for right in found.rights & by_group.rights if right.kind == "server"}
    matrix = by_group if found.by_group else matrix
    once = ((kind, name) for kind, name in matrix.things if kind in {"role", "server"})
    return frozenset(elsewhere).union(
        *(matrix.rights_on(*thing) for thing in (*found.targets, *once))
    )


def _of_roles(connection: Connection[Any], who: Mapping[str, str]) -> set[Right]:
    """Powers at the server, and the roles that ours may act as."""
    names = list(who)
    powers = {
        Right(principal=who[name], kind="server", name=SERVER, operation=power)
        for name, *flags in connection.execute(_POWERS, (names,))
        for power, flag in zip(POWERS, flags, strict=True)
        if flag
    }
    return powers | {
        Right(principal=who[member], kind="role", name=role, operation=operation)
        for member, role, inherits, may_set in connection.execute(_MEMBERS, (names,))
        for operation, given in (("INHERIT", inherits), ("SET", may_set))
        if given
    }
