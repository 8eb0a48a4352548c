"""Compares every read model with the log, at one position of the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import IsolationLevel

from ledger.audit.spool import Spool
from ledger.log.seam import EventSource, LogRecord, LogUnavailable
from ledger.wire.avro.codec import body_hash, decode_event
from projector.following import checkpoint
from projector.following.checkpoint import Checkpoint
from projector.following.projection import CONSUMER
from projector.progress import Progress
from projector.reconciling.account_slices import SLICE_EVENTS, Slices
from projector.reconciling.independent_fold import Refold, Rows
from projector.reconciling.stored_rows import StoredRows
from projector.rows.tables import Key, Table
from projector.rows.writer import READ_MODELS
from projector.views import VIEWS

_READ_RECORDS = 5_000
_READ_SECONDS = 5.0
_PATIENCE = 6
_TOLD_EVENTS = 1_000


class Divergence(Struct, frozen=True, kw_only=True):
    """The first difference between a read model and the log. Only the differing columns are named;
    an empty side is a missing row.
    """

    view: str
    key: Key
    expected: dict[str, Any]
    found: dict[str, Any]


class Reconciliation(Struct, frozen=True, kw_only=True):
    """How many rows of each view were compared, up to which offset of each partition, and the
    first difference of each view.
    """

    positions: dict[int, int]
    rows_of: dict[str, int]
    divergences: tuple[Divergence, ...]

    @property
    def rows(self) -> int:
        """The expected number of rows of all views."""
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
    """Fold the log independently of the projector and compare, while the projector continues.

    1. Take a snapshot of the database: from here on nothing in it moves. 2. Read in it how far the
    projector had come. 3. Read the log up to there, once, and spool it by slices of accounts of
    about `slice_events` events. 4. Fold slice after slice, and compare it with its rows. Nothing is
    written but the spool, a file that is gone with the process. Memory is bounded by the slice.

    Raises WrongWorld if the database is not of this log, LogUnavailable if it cannot be read.
    """
    found: dict[str, Divergence] = {}
    rows_of: Counter[str] = Counter()
    with psycopg.connect(conninfo) as connection, ExitStack() as held:
        # 1
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        # 2
        places = checkpoint.load(connection, consumer, source.topic_id, source.ends())
        events = sum(place.log_sequence + 1 for place in places.values())
        slices = Slices(count=max(1, -(-events // slice_events)))
        pace = _Pace(places, slices, tell)
        spool = held.enter_context(closing(Spool()))
        # 3
        for divergence in _spooled(spool, source, places, slices, pace):
            found[divergence.view] = divergence
        # 4
        rows = [
            held.enter_context(closing(StoredRows(connection, schema, view.TABLE, slices)))
            for view in VIEWS
        ]
        for number, tables in enumerate(_folded(spool, slices)):
            for stored in rows:
                expected = tables.pop(stored.table.name, {})
                rows_of[stored.table.name] += len(expected)
                first = _compare(stored.table, expected, stored.of(number))
                if first:
                    _keep_the_first(found, first)
            pace.compared(number)
    return Reconciliation(
        positions=checkpoint.positions(places),
        rows_of=dict(rows_of),
        divergences=tuple(found.values()),
    )


class _Pace:
    """Reports the progress: half of the work is reading the log, half comparing."""

    def __init__(
        self,
        places: Mapping[int, Checkpoint],
        slices: Slices,
        tell: Callable[[Progress], None],
    ) -> None:
        self._log = sum(place.next_offset for place in places.values())
        self._slices, self._tell = slices, tell
        self._events = 0

    def read(self) -> None:
        """One more event was read."""
        self._events += 1
        if self._events % _TOLD_EVENTS == 0:
            self._say(min(self._events, self._log))

    def compared(self, number: int) -> None:
        """That slice was compared."""
        self._say(self._log + self._log * (number + 1) // self._slices.count)

    def _say(self, done: int) -> None:
        self._tell(Progress(done=done, total=2 * self._log, events=self._events))


def _spooled(
    spool: Spool,
    source: EventSource,
    places: Mapping[int, Checkpoint],
    slices: Slices,
    pace: _Pace,
) -> Iterator[Divergence]:
    """Read the log into the spool; say where a checkpoint names another last event than it has."""
    last: dict[int, LogRecord] = {}
    for record in _records(source, checkpoint.positions(places)):
        last[record.partition] = record
        spool.put(slices.number_of(record.key or b""), record.value or b"")
        pace.read()
    yield from _misplaced(places, last)


def _folded(spool: Spool, slices: Slices) -> Iterator[dict[str, Rows]]:
    """The rows that the events of each slice give."""
    for number in range(slices.count):
        refold = Refold()
        for value in spool.take(number):
            refold.take(decode_event(value))
        yield refold.tables


def _keep_the_first(found: dict[str, Divergence], divergence: Divergence) -> None:
    known = found.get(divergence.view)
    if known is None or divergence.key < known.key:
        found[divergence.view] = divergence


def _records(source: EventSource, ends: Mapping[int, int]) -> Iterator[LogRecord]:
    """Every record before these offsets. Bounded: gives up if the log returns nothing."""
    positions, silent = dict.fromkeys(ends, 0), 0
    while any(positions[partition] < end for partition, end in ends.items()):
        batches = source.read(positions, _READ_RECORDS, _READ_SECONDS)
        silent = 0 if batches else silent + 1
        if silent == _PATIENCE:
            raise LogUnavailable(
                f"the events topic: no records at {positions}, although the database has read up "
                f"to {dict(ends)}; check the broker"
            )
        for partition, batch in batches.items():
            yield from (r for r in batch.records if r.offset < ends[partition])
            positions[partition] = batch.next_position


def _misplaced(
    places: Mapping[int, Checkpoint], last: Mapping[int, LogRecord]
) -> Iterator[Divergence]:
    """The first checkpoint whose last event differs from the log."""
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


def _compare(table: Table, expected: Rows, stored: Iterator[dict[str, Any]]) -> Divergence | None:
    """The first row, in order of keys, that is not as expected."""
    wanted = {tuple(_plain(part) for part in key): _plain(row) for key, row in expected.items()}
    different: list[Divergence] = []
    for found in stored:
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
    """The value as the database returns it: lists, plain text, without U+0000."""
    if isinstance(value, str):
        return str(value).replace("\x00", "\u2400")
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
