"""The access matrix: who may do what at the brokers and in the database, read from its file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

BROKER_KINDS = ("topic", "group", "transactional_id", "cluster")
DATABASE_KINDS = ("server", "role", "database", "schema", "table", "view", "function", "rows")
ROUTE_KINDS = ("route",)
EVERYBODY = "*"
"""The principal of a right that everybody has; at brokers and in the database the matrix has none.
"""


class Right(Struct, frozen=True, kw_only=True, order=True):
    """One cell that is allowed: who may do what with which thing."""

    principal: str
    kind: str
    name: str
    operation: str

    def __str__(self) -> str:
        return f"{self.principal} may {self.operation} {self.kind} {self.name}"


class DatabaseRole(Struct, frozen=True, kw_only=True):
    """A principal's role, and the settings with which its sessions begin."""

    name: str
    settings: Mapping[str, str]


class Matrix(Struct, frozen=True, kw_only=True):
    """Every principal with its purpose, every thing, and the cells that are allowed."""

    principals: Mapping[str, str]
    roles: Mapping[str, DatabaseRole]
    things: tuple[tuple[str, str], ...]
    rights: frozenset[Right]
    by_group: Matrix | None = None
    """The same where finance sees rows by groups of accounts; there all of this, and more."""

    @property
    def at_brokers(self) -> tuple[str, ...]:
        """The principals that speak to the brokers."""
        there = {right.principal for right in self.rights if right.kind in BROKER_KINDS}
        return tuple(name for name in self.principals if name in there)

    def rights_on(self, kind: str, name: str) -> frozenset[Right]:
        """The rights on one thing, by the longest entry that fits its name."""
        fitting = [entry for of, entry in self.things if of == kind and _fits(entry, name)]
        entry = max(fitting, key=len, default=None)
        return frozenset(
            Right(principal=right.principal, kind=kind, name=name, operation=right.operation)
            for right in self.rights
            if (right.kind, right.name) == (kind, entry)
        )


class Differences(Struct, frozen=True, kw_only=True):
    """Rights that are missing, and those that are given though the matrix does not."""

    missing: tuple[Right, ...]
    surplus: tuple[Right, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.missing) + len(self.surplus)


def read_matrix(text: str | None = None) -> Matrix:
    """The matrix of the file beside this module, or of another text."""
    own = resources.files("ledger.log.access").joinpath("matrix.toml")
    raw: dict[str, Any] = tomllib.loads(own.read_text("utf-8") if text is None else text)
    things, rights = _cells(raw)
    base = Matrix(
        principals=raw["principals"],
        roles={principal: _role(dict(row)) for principal, row in raw.get("roles", {}).items()},
        things=things,
        rights=rights,
    )
    more_things, more_rights = _cells(raw.get("by_group", {}))
    every_thing = tuple(dict.fromkeys((*things, *more_things)))
    return replace(base, by_group=replace(base, things=every_thing, rights=rights | more_rights))


def compared(found: frozenset[Right], wanted: frozenset[Right]) -> Differences:
    """What is missing of the wanted rights, and what there is beside them."""
    return Differences(missing=tuple(sorted(wanted - found)), surplus=tuple(sorted(found - wanted)))


def _cells(raw: dict[str, Any]) -> tuple[tuple[tuple[str, str], ...], frozenset[Right]]:
    kinds = (*BROKER_KINDS, *DATABASE_KINDS, *ROUTE_KINDS)
    rows = [(kind, name, row) for kind in kinds for name, row in raw.get(kind, {}).items()]
    return tuple((kind, name) for kind, name, _ in rows), frozenset(
        Right(principal=principal, kind=kind, name=name, operation=operation)
        for kind, name, row in rows
        for principal, operations in row.items()
        for operation in operations
    )


def _role(row: dict[str, str]) -> DatabaseRole:
    return DatabaseRole(name=row.pop("name"), settings=row)


def _fits(entry: str, name: str) -> bool:
    return name.startswith(entry[:-1]) if entry.endswith("*") else name == entry
