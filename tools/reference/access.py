"""The page of the access matrix: who may do what at the brokers and in the database."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.log.access import (
    BROKER_KINDS,
    DATABASE_KINDS,
    EVERYBODY,
    Matrix,
    Right,
    read_matrix,
)
from tools.reference.words import WRITTEN, paragraph, table

INTRODUCTION = """\
Who may do what at the brokers and in the database. ACLs, roles and grants are made from [the
matrix](../../src/ledger/log/access/matrix.toml) by `refundctl init --grant`
([how to](../how-to/secured-cluster.md)), and a test tries every cell on a real broker and a real
database, the allowed ones and the forbidden ones. An empty cell is forbidden.
"""
BROKERS = """\
Names are without the ledger's prefix (`REFUNDS_PREFIX`). With a `*` at the end all names are meant
that begin so.
"""
DATABASE = """\
With a `*` at the end all names are meant that begin so; of several entries that fit, the longest
counts alone. `OWN` is the owner of a thing; it has the other rights only where they are named. What
everybody may do in a new database (`CONNECT`, `TEMPORARY`, `EXECUTE`) is taken away. Nobody is a
superuser, creates roles or databases, or passes by the policies of rows.
"""
BY_GROUP = """\
Where `refundctl init --grant --finance-rows groups` was run, finance sees the rows of its groups of
accounts alone ([how to](../how-to/finance.md)). This comes to the rights above. Views then ask with
the rights of whoever reads them (`INVOKER`), and policies show the rows of the reader's `GROUPS`,
or `ALL`. The projector passes them by (`BYPASSRLS`): COPY does not write into tables with policies.
"""
ROLES = "Each role has limits for its sessions; a process that needs others sets them itself."


def access_page() -> str:
    """docs/reference/access.md."""
    matrix = read_matrix()
    who = [(f"`{name}`", purpose) for name, purpose in matrix.principals.items()]
    roles = [
        (f"`{name}`", f"`{role.name}`", ", ".join(f"`{k} = {v}`" for k, v in role.settings.items()))
        for name, role in matrix.roles.items()
    ]
    at_brokers, in_database = matrix.at_brokers, tuple(matrix.roles)
    return (
        f"# Access rights\n\n{WRITTEN}{paragraph(INTRODUCTION)}"
        f"## Principals\n\n{table(('principal', 'what it is'), who)}"
        f"\n## At the brokers\n\n{paragraph(BROKERS)}{_things(matrix, BROKER_KINDS, at_brokers)}"
        f"## Roles of the database\n\n{paragraph(ROLES)}"
        f"{table(('principal', 'role', 'limits'), roles)}"
        f"\n## In the database\n\n{paragraph(DATABASE)}"
        f"{_things(matrix, DATABASE_KINDS, in_database)}"
        f"## Rows by groups of accounts\n\n{paragraph(BY_GROUP)}"
        f"{_things(_added(matrix), DATABASE_KINDS, (*in_database, EVERYBODY))}".rstrip("\n")
        + "\n"
    )


def _added(matrix: Matrix) -> Matrix:
    """What is so by groups of accounts alone."""
    assert matrix.by_group is not None
    rights = matrix.by_group.rights - matrix.rights
    named = {(right.kind, right.name) for right in rights}
    things = tuple(thing for thing in matrix.by_group.things if thing in named)
    return replace(matrix.by_group, things=things, rights=rights)


def _things(matrix: Matrix, kinds: tuple[str, ...], principals: tuple[str, ...]) -> str:
    """A table for each kind: a row a thing, a column a principal."""
    parts = []
    for kind in kinds:
        names = [name for of, name in matrix.things if of == kind]
        rows = [
            (f"`{name}`", *(_operations(matrix.rights, each, kind, name) for each in principals))
            for name in names
        ]
        if any(cell for row in rows for cell in row[1:]):
            parts.append(table((kind.replace("_", " "), *map(_everybody, principals)), rows) + "\n")
    return "".join(parts)


def _everybody(principal: str) -> str:
    return "everybody" if principal == EVERYBODY else principal


def _operations(rights: frozenset[Right], principal: str, kind: str, name: str) -> str:
    found = [
        r.operation for r in rights if (r.principal, r.kind, r.name) == (principal, kind, name)
    ]
    return ", ".join(sorted(found))
