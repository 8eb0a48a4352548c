"""Compares every read model with the log it was made from, at one place of the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import Connection, IsolationLevel, sql
from psycopg.rows import dict_row

from ledger.log.seam import EventSource, LogRecord, LogUnavailable
from ledger.wire.avro.codec import body_hash, decode_event
from projector.following import checkpoint
from projector.following.checkpoint import Checkpoint
from projector.following.projection import CONSUMER
from projector.progress import Progress
from projector.reconciling.account_slices import SLICE_EVENTS, Slice
from projector.reconciling.independent_fold import Refold, Rows
from projector.rows.tables import Key, Table
from projector.rows.writer import READ_MODELS
from projector.views import VIEWS

_READ_RECORDS = 5_000
_READ_SECONDS = 5.0
_PATIENCE = 6
_FETCHED_ROWS = 5_000
_TOLD_EVENTS = 1_000


class Divergence(Struct, frozen=True, kw_only=True):
    """Where a read model first departs from the log. Only the columns that differ are named; an
    empty side is a row that is not there.
    """

    view: str
    key: Key
    expected: dict[str, Any]
    found: dict[str, Any]


class Reconciliation(Struct, frozen=True, kw_only=True):
    """How many rows of each view were compared, up to which offset of each partition, and where
    each view first departs.
    """

    positions: dict[int, int]
    rows_of: dict[str, int]
    divergences: tuple[Divergence, ...]

    @property
    def rows(self) -> int:
        """How many rows there should be in all."""
        return sum(self.rows_of.values())


def reconcile(
    conninfo: str,
    source: EventSource,
    consumer: str = CONSUMER,
    schema: str = READ_MODELS,
    *,
    slice_events: int = SLICE_EVENTS,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Reconciliation:
    """Fold the log apart from the projector and compare, while the projector goes on.

    1. Take a snapshot of the database: from here on nothing in it moves. 2. Read in it how far the
    projector had come. 3. Fold the log up to there. 4. Compare table by table. Nothing is written.
    Memory is bounded: where there are more than `slice_events`, the accounts are dealt into slices,
    and 3 and 4 are done for one slice after another.

    Raises WrongWorld where the database is not of this log, LogUnavailable where it cannot be read.
    """
    with psycopg.connect(conninfo) as connection:
        # 1
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        # 2
        places = checkpoint.load(connection, consumer, source.topic_id, source.ends())
        count = max(1, -(-sum(place.log_sequence + 1 for place in places.values()) // slice_events))
        found: dict[str, Divergence] = {}
        rows_of: Counter[str] = Counter()
        for number in range(count):
            # 3
            dealt = Slice(number=number, count=count)
            tables = _folded(source, places, dealt, tell, found)
            # 4
            for view in VIEWS:
                expected = tables[view.TABLE.name]
                rows_of[view.TABLE.name] += len(expected)
                divergence = _compare(connection, schema, view.TABLE, expected, dealt)
                if divergence:
                    _keep_the_first(found, divergence)
    return Reconciliation(
        positions=checkpoint.positions(places),
        rows_of=dict(rows_of),
        divergences=tuple(found.values()),
    )


def _folded(
    source: EventSource,
    places: Mapping[int, Checkpoint],
    dealt: Slice,
    tell: Callable[[Progress], None],
    found: dict[str, Divergence],
) -> dict[str, Rows]:
    """The rows of a slice's accounts; with the first slice the checkpoints are looked at, too."""
    refold, last = Refold(), dict[int, LogRecord]()
    total = sum(place.next_offset for place in places.values())
    records = _records(source, checkpoint.positions(places))
    for events, record in enumerate(records, start=1):
        last[record.partition] = record
        if dealt.takes(record):
            refold.take(decode_event(record.value))
        if events % _TOLD_EVENTS == 0:
            done = dealt.number * total + min(events, total)
            read = dealt.number * events + events
            tell(Progress(done=done, total=dealt.count * total, events=read))
    if dealt.number == 0:
        found.update((each.view, each) for each in _misplaced(places, last))
    return refold.tables


def _keep_the_first(found: dict[str, Divergence], divergence: Divergence) -> None:
    known = found.get(divergence.view)
    if known is None or divergence.key < known.key:
        found[divergence.view] = divergence


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
    places: Mapping[int, Checkpoint], last: Mapping[int, LogRecord]
) -> Iterator[Divergence]:
    """The first checkpoint that names another last event than the log has before it."""
    for partition, place in places.items():
        record = last.get(partition)
        at = Checkpoint(partition=partition)
        expected = {"log_sequence": at.log_sequence, "last_hash": at.last_hash}
        if record is not None:
            sequence = decode_event(record.value).meta.log_sequence
            expected = {"log_sequence": sequence, "last_hash": body_hash(record.value or b"")}
        found = {"log_sequence": place.log_sequence, "last_hash": place.last_hash}
        if found != expected:
            yield Divergence(view="checkpoints", key=(partition,), expected=expected, found=found)
            return


def _compare(
    connection: Connection[Any], schema: str, table: Table, expected: Rows, dealt: Slice
) -> Divergence | None:
    """The first row in order of keys that is not as expected."""
    wanted = {tuple(_plain(part) for part in key): _plain(row) for key, row in expected.items()}
    statement = sql.SQL("SELECT * FROM {} WHERE {}").format(
        sql.Identifier(schema, table.name), dealt.condition
    )
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
