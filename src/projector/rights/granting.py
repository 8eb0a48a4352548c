"""Makes roles and grants as the access matrix says, and finds what differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import structlog
from psycopg import Connection, sql
from psycopg.errors import DuplicateObject, InsufficientPrivilege, UniqueViolation

from ledger.log.access import EVERYBODY, Differences, Matrix, Right, compared
from projector.rights.catalogue import Standing, standing, wanted
from projector.rights.rows import RowsSeen, keep_apart, write_policies

_NEXT_STEP = "run this as a superuser, or as the owner of the database who may create roles"

log = structlog.get_logger()


class WrongRights(Exception):
    """Rights that this user cannot make as the matrix says; the message names one."""


def grant(connection: Connection[Any], matrix: Matrix, seen: RowsSeen | None = None) -> Differences:
    """Have the database allow what the matrix says to its roles, and no more; what changed.

    `seen` is what finance sees: all rows, or those of its groups of accounts; None: as it was.

    1. Make the roles that are missing, and set the limits of all. 2. Hand over what is to be
    another's own: that takes rights to its schema, and changes the rights on it. 3. Grant what is
    missing, then revoke what is too much. All in one transaction, so that no process is refused in
    between. It takes a superuser, or the owner of the database who may create roles. Raises
    WrongRights if something differs at the end.
    """
    with connection.transaction():
        # 1
        for role in matrix.roles.values():
            if not make_role(connection, role.name):
                raise WrongRights(
                    f"role {role.name}: it cannot be made or given away; {_NEXT_STEP}"
                )
            limit(connection, role.name, role.settings)
        if seen is not None:
            keep_apart(connection, seen)
        # 2
        found = standing(connection, matrix)
        first = compared(found.rights, wanted(matrix, found))
        schemas = [right for right in first.missing if right.kind == "schema"]
        _apply(connection, matrix, found, schemas, "GRANT")
        for what, rights in (("DISOWN", first.surplus), ("OWN", first.missing)):
            owning = [right for right in rights if right.operation == "OWN"]
            _apply(connection, matrix, found, owning, what)
        # 3
        now = standing(connection, matrix)
        says = wanted(matrix, now)
        left = compared(now.rights, says)
        if any(right.kind == "rows" for right in (*left.missing, *left.surplus)):
            names = {principal: role.name for principal, role in matrix.roles.items()}
            write_policies(connection, says, names)
        _apply(connection, matrix, found, left.missing, "GRANT")
        _apply(connection, matrix, found, left.surplus, "REVOKE")
        _check(differences(connection, matrix))
        connection.execute("SET LOCAL search_path TO DEFAULT")
    if first.count:
        log.info("rights changed", missing=len(first.missing), surplus=len(first.surplus))
    return first


def differences(connection: Connection[Any], matrix: Matrix) -> Differences:
    """What of the database's rights is not as the matrix says, for its roles and for everybody."""
    with connection.transaction():
        found = standing(connection, matrix)
        return compared(found.rights, wanted(matrix, found))


def granted(connection: Connection[Any], matrix: Matrix) -> bool:
    """Whether the matrix was once written to this database: the read models have their owner."""
    row = connection.execute(
        "SELECT tableowner::text FROM pg_tables WHERE schemaname = 'read_models' LIMIT 1"
    ).fetchone()
    return row is not None and row[0] == matrix.roles["projector"].name


def make_role(connection: Connection[Any], role: str) -> bool:
    """Create the role if it is missing; False if this user may not. It may log in, has no password,
    and this user may act as it. It is no error if another process has just created it.
    """
    name = sql.Identifier(role)
    try:
        if not is_there(connection, role):
            with suppress(DuplicateObject, UniqueViolation), connection.transaction():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(name))
        acts = connection.execute("SELECT pg_has_role(current_user, %s, 'SET')", (role,))
        if acts.fetchone() != (True,):
            with connection.transaction():
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
    except InsufficientPrivilege:
        return False
    return True


def is_there(connection: Connection[Any], role: str) -> bool:
    """Whether the server knows the role."""
    found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,))
    return found.fetchone() is not None


def limit(connection: Connection[Any], role: str, settings: Mapping[str, str]) -> None:
    """Have the sessions of a role begin with these settings."""
    row = connection.execute(
        "SELECT rolconfig FROM pg_roles WHERE rolname = %s", (role,)
    ).fetchone()
    known = set(row[0] or ()) if row else set()
    for key, value in settings.items():
        if f"{key}={value}" not in known:
            setting = sql.SQL("ALTER ROLE {} SET {} = {}")
            connection.execute(setting.format(sql.Identifier(role), sql.Identifier(key), value))


def _apply(
    connection: Connection[Any],
    matrix: Matrix,
    found: Standing,
    rights: Iterable[Right],
    what: str,
) -> None:
    for right in (right for right in rights if right.kind != "rows"):
        statement = _statement(matrix, found, right, what)
        try:
            connection.execute(statement.encode())
        except InsufficientPrivilege as error:
            raise WrongRights(f"{right}: {error.diag.message_primary}; {_NEXT_STEP}") from error
        log.debug("right changed", what=what, right=str(right))


def _statement(matrix: Matrix, found: Standing, right: Right, what: str) -> str:
    role = "PUBLIC"
    if right.principal != EVERYBODY:
        role = f'"{matrix.roles[right.principal].name}"'
    word = "TO" if what == "GRANT" else "FROM"
    match right.kind:
        case "server":
            return f"ALTER ROLE {role} {'' if what == 'GRANT' else 'NO'}{right.operation}"
        case "role" if what == "GRANT":
            return f'GRANT "{right.name}" TO {role} WITH INHERIT FALSE, SET TRUE'
        case "role":
            return f'REVOKE "{right.name}" FROM {role}'
    target = found.targets[right.kind, right.name]
    if right.operation != "OWN":
        return f"{what} {right.operation} ON {target} {word} {role}"
    target = target.replace("TABLE", "VIEW", 1) if right.kind == "view" else target
    return f"ALTER {target} OWNER TO {role if what == 'OWN' else 'CURRENT_USER'}"


def _check(left: Differences) -> None:
    if left.count:
        names = [*(f"missing: {right}" for right in left.missing), *map(str, left.surplus)]
        raise WrongRights(
            f"{left.count} rights still differ from the matrix, the first: {names[0]}; somebody "
            "else gave them: have them revoked, and run this again"
        )
