"""Compares every read model with the log it was made from, at one place of the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import Connection, IsolationLevel, sql
from psycopg.rows import dict_row

from ledger.codec import body_hash, decode_event
from ledger.log import EventSource, LogRecord, LogUnavailable
from projector import checkpoint
from projector.checkpoint import Checkpoint
from projector.projection import CONSUMER
from projector.refold import Refold, Rows
from projector.tables import Key, Table
from projector.views import VIEWS
from projector.writer import READ_MODELS

_READ_RECORDS = 5_000
_READ_SECONDS = 5.0
_PATIENCE = 6
_FETCHED_ROWS = 5_000


class Divergence(Struct, frozen=True, kw_only=True):
    """Where a read model first departs from the log. Only the columns that differ are named; an
    empty side is a row that is not there.
    """

    view: str
    key: Key
    expected: dict[str, Any]
    found: dict[str, Any]


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What was compared, up to which offset of each partition, and where it first departs."""

    positions: dict[int, int]
    rows: int
    divergences: tuple[Divergence, ...]


def reconcile(
    conninfo: str, source: EventSource, consumer: str = CONSUMER, schema: str = READ_MODELS
) -> Reconciliation:
    """Fold the log apart from the projector and compare, while the projector goes on.

    1. Take a snapshot of the database: from here on nothing in it moves. 2. Read in it how far the
    projector had come. 3. Fold the log up to there. 4. Compare table by table. Nothing is written.
    Raises WrongWorld where the database is not of this log, LogUnavailable where it cannot be read.
    """
    with psycopg.connect(conninfo) as connection:
        # 1
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        # 2
        places = checkpoint.load(connection, consumer, source.topic_id, source.ends())
        # 3
        refold = Refold()
        last = {partition: Checkpoint(partition=partition) for partition in places}
        for record in _records(source, checkpoint.positions(places)):
            recorded = decode_event(record.value)
            refold.take(recorded)
            last[record.partition] = Checkpoint(
                partition=record.partition,
                next_offset=places[record.partition].next_offset,
                log_sequence=recorded.meta.log_sequence,
                last_hash=body_hash(record.value or b""),
            )
        # 4
        found = [*_misplaced(places, last)]
        rows = 0
        for view in VIEWS:
            expected = refold.tables[view.TABLE.name]
            rows += len(expected)
            divergence = _compare(connection, schema, view.TABLE, expected)
            found.extend([divergence] if divergence else [])
    return Reconciliation(
        positions=checkpoint.positions(places), rows=rows, divergences=tuple(found)
    )


def _records(source: EventSource, ends: Mapping[int, int]) -> Iterator[LogRecord]:
    """Every record before these offsets. Bounded: gives up where the log stays silent."""
    positions, silent = dict.fromkeys(ends, 0), 0
    while any(positions[partition] < end for partition, end in ends.items()):
        batches = source.read(positions, _READ_RECORDS, _READ_SECONDS)
        silent = 0 if batches else silent + 1
        if silent == _PATIENCE:
            raise LogUnavailable(
                f"the events topic: nothing to read at {positions}, though the database has read "
                f"up to {dict(ends)}; look at the broker"
            )
        for partition, batch in batches.items():
            yield from (r for r in batch.records if r.offset < ends[partition])
            positions[partition] = batch.next_position


def _misplaced(
    places: Mapping[int, Checkpoint], last: Mapping[int, Checkpoint]
) -> Iterator[Divergence]:
    """The first checkpoint that names another last event than the log has before it."""
    for partition, place in places.items():
        found = {"log_sequence": place.log_sequence, "last_hash": place.last_hash}
        expected = {
            "log_sequence": last[partition].log_sequence,
            "last_hash": last[partition].last_hash,
        }
        if found != expected:
            yield Divergence(view="checkpoints", key=(partition,), expected=expected, found=found)
            return


def _compare(
    connection: Connection[Any], schema: str, table: Table, expected: Rows
) -> Divergence | None:
    """The first row in order of keys that is not as expected."""
    wanted = {tuple(_plain(part) for part in key): _plain(row) for key, row in expected.items()}
    statement = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table.name))
    different: list[Divergence] = []
    with connection.cursor(name="reconcile", row_factory=dict_row) as cursor:
        cursor.itersize = _FETCHED_ROWS
        for found in cursor.execute(statement):
            key = tuple(found[column] for column in table.key)
            divergence = _difference(table.name, key, wanted.pop(key, {}), found)
            different.extend([divergence] if divergence else [])
    different.extend(
        Divergence(view=table.name, key=key, expected=row, found={}) for key, row in wanted.items()
    )
    return min(different, key=lambda each: each.key, default=None)


def _difference(
    view: str, key: Key, expected: dict[str, Any], found: dict[str, Any]
) -> Divergence | None:
    if expected == found:
        return None
    if not expected:
        return Divergence(view=view, key=key, expected={}, found=found)
    columns = [column for column in found if found[column] != expected.get(column)]
    return Divergence(
        view=view,
        key=key,
        expected={column: expected.get(column) for column in columns},
        found={column: found[column] for column in columns},
    )


def _plain(value: Any) -> Any:
    """The value as the database gives it back: lists, plain text, and no U+0000 in it."""
    if isinstance(value, str):
        return str(value).replace("\x00", "\u2400")
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
