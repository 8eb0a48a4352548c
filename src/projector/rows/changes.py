"""The row changes of an event: a closed set of kinds, merged per key in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from msgspec import Struct, field

from projector.rows.tables import Key, Row, Table, Value


class Insert(Struct, frozen=True, kw_only=True):
    """A new row."""

    table: Table
    row: Row


class Set(Struct, frozen=True, kw_only=True):
    """New values for some columns of an existing row."""

    table: Table
    key: Key
    columns: Row


class Add(Struct, frozen=True, kw_only=True):
    """Amounts to add to columns of an existing row."""

    table: Table
    key: Key
    amounts: dict[str, int]


RowChange = Insert | Set | Add


class Patch(Struct, kw_only=True):
    """All changes of a batch to one row that existed before the batch."""

    columns: dict[str, Value] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)


class TableChanges(Struct, kw_only=True):
    """All changes of a batch to one table; no key is in both."""

    table: Table
    inserts: dict[Key, Row] = field(default_factory=dict)
    patches: dict[Key, Patch] = field(default_factory=dict)


class ImpossibleChange(Exception):
    """A change that no valid sequence of events leads to: the projector stops at it."""


def fold(changes: Iterable[RowChange]) -> tuple[TableChanges, ...]:
    """The changes of a batch, in order, merged per table and key. The result does not depend on how
    the same changes are divided into batches.
    """
    tables: dict[str, TableChanges] = {}
    for change in changes:
        of_table = tables.get(change.table.name)
        if of_table is None:
            of_table = tables[change.table.name] = TableChanges(table=change.table)
        match change:
            case Insert():
                _insert(of_table, change)
            case Set():
                _set(of_table, change)
            case Add():
                _add(of_table, change)
            case _:
                assert_never(change)
    return tuple(tables.values())


def _insert(of_table: TableChanges, change: Insert) -> None:
    key = change.table.key_of(change.row)
    if key in of_table.inserts or key in of_table.patches:
        raise ImpossibleChange(f"{change.table.name} {key}: inserted, but it is already there")
    of_table.inserts[key] = dict(change.row)


def _set(of_table: TableChanges, change: Set) -> None:
    row = of_table.inserts.get(change.key)
    if row is not None:
        row.update(change.columns)
        return
    _patch(of_table, change.key).columns.update(change.columns)


def _add(of_table: TableChanges, change: Add) -> None:
    row = of_table.inserts.get(change.key)
    amounts: dict[str, int]
    if row is not None:
        for column, amount in change.amounts.items():
            standing = row[column]
            if not isinstance(standing, int):
                raise ImpossibleChange(f"{change.table.name}.{column} {change.key}: no amount")
            row[column] = standing + amount
        return
    amounts = _patch(of_table, change.key).amounts
    for column, amount in change.amounts.items():
        amounts[column] = amounts.get(column, 0) + amount


def _patch(of_table: TableChanges, key: Key) -> Patch:
    patch = of_table.patches.get(key)
    if patch is None:
        patch = of_table.patches[key] = Patch()
    return patch
