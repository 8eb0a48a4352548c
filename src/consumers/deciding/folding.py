"""Folds a partition's events into its store, and checks that they are one chain with it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

import structlog

from consumers.deciding.store import Store
from ledger.log.seam import Batch, Log, LogRecord, Topic, WrongWorld
from ledger.state import evolve
from ledger.vocabulary.validation import MAX_TEXT
from ledger.wire.avro.codec import body_hash, decode_event

FOLDED_AT_ONCE = 2_000
"""A slice: some 150 ms, in which no other partition of the process decides."""
WAIT_SECONDS = 0.05
MOST_WAITS = 1_200
"""A minute in all, longer than an open transaction of a dead process: others write to these topics
too.
"""
OPENING_SECONDS = 60.0
"""How long the first event is waited for; aborted records can precede it."""

_log = structlog.get_logger(__name__)


class OffChain(Exception):
    """The store, or the log itself, is not an unbroken hash chain."""


class Fold:
    """The restore of one partition's store. `end` is the last event that was folded."""

    def __init__(self, log: Log, partition: int, store: Store) -> None:
        self._log = log
        self._partition = partition
        self._store = store
        self._anchored = False
        self.end = store.place.end

    def until(self, high_watermark: int) -> Iterator[None]:
        """Fold the events before this offset, a slice at a time; between two slices others may
        work. A store that does not match the log's chain is deleted, and the fold begins again at
        the first event, once.
        """
        try:
            yield from self._from_store(high_watermark)
        except OffChain as why:
            _log.warning("store dropped", partition=self._partition, reason=str(why))
            self._store.clear()
            try:
                yield from self._from_store(high_watermark)
            except OffChain as still:
                raise wrong(self._partition, str(still)) from still

    def _from_store(self, until: int) -> Iterator[None]:
        """Fold from the store's last event on, which must be in the log with the same hash."""
        self.end = self._store.place.end
        self._anchored = self.end.log_sequence < 0
        position = yield from self._near_the_last(self._store.place.from_offset, until)
        while position < until:
            batch = yield from self._read(position, until, FOLDED_AT_ONCE)
            self._store.prepare(accounts_of(batch.records))
            for found in batch.records:
                self._fold_one(found)
            position = batch.next_position
            if batch.records and self._anchored:
                self._store.save(batch.records[-1].offset, self.end)
            yield
        if not self._anchored:
            raise OffChain(f"the log has no event {self.end.log_sequence} where the store had it")

    def _near_the_last(self, low: int, high: int) -> Generator[None, None, int]:
        """An offset at or shortly before the store's last event: since `low` was noted, each
        transaction took one offset more than its events.
        """
        while self.end.log_sequence >= 0 and high - low > FOLDED_AT_ONCE:
            middle = position = (low + high) // 2
            found: tuple[LogRecord, ...] = ()
            while not found and position < high:
                batch = yield from self._read(position, high, 1)
                found, position = batch.records, batch.next_position
            if found and decode_event(found[0].value).meta.log_sequence <= self.end.log_sequence:
                low = middle
            else:
                high = middle
        return low

    def _read(self, position: int, until: int, most: int) -> Generator[None, None, Batch]:
        return read_on(self._log, Topic.EVENTS, self._partition, position, until, most)

    def _fold_one(self, found: LogRecord) -> None:
        assert found.value is not None
        recorded, digest = decode_event(found.value), body_hash(found.value)
        number, end = recorded.meta.log_sequence, self.end
        if number < end.log_sequence:
            return
        if number == end.log_sequence:
            if digest != end.last_hash:
                raise OffChain(f"event {number} at offset {found.offset} has another hash")
            self._anchored = True
            return
        if not self._anchored:
            raise OffChain(f"the log has event {number} where the store had {end.log_sequence}")
        if number != end.log_sequence + 1 or recorded.meta.prev_hash != end.last_hash:
            raise OffChain(f"the chain breaks at event {number}, offset {found.offset}")
        if end.missing != (recorded.meta.index and recorded.meta.count - recorded.meta.index):
            raise OffChain(
                f"the outcome before event {number}, offset {found.offset}, is incomplete"
            )
        self._store.apply(evolve(self._store, recorded))
        self.end = end.after(recorded, digest)


def accounts_of(records: Iterable[LogRecord]) -> Iterator[str]:
    """The accounts in the keys of records; a command whose key is no account id is left out."""
    for key in {found.key for found in records if found.key}:
        if not _odd(key):
            yield key.decode()


def read_on(
    log: Log,
    topic: Topic,
    partition: int,
    position: int,
    until: int,
    most: int,
) -> Generator[None, None, Batch]:
    """The next records before `until`; others may work while an open transaction hides them."""
    for _ in range(MOST_WAITS):
        batch = log.read(topic, partition, position, most, WAIT_SECONDS)
        if batch.next_position != position:
            return batch
        yield
    raise wrong(partition, f"no records at {position} of {topic}, although its end is {until}")


def first_event(log: Log, partition: int) -> LogRecord | None:
    """The first committed record; a first read may return nothing if aborted records precede it."""
    position, end = 0, log.high_watermark(Topic.EVENTS, partition)
    while position < end:
        batch = log.read(Topic.EVENTS, partition, position, 1, OPENING_SECONDS)
        if batch.records or batch.next_position == position:
            return batch.records[0] if batch.records else None
        position = batch.next_position
    return None


def _odd(key: bytes) -> bool:
    """Whether a key is none that an account can have; NUL is no text for the database."""
    try:
        return b"\0" in key or len(key.decode()) > MAX_TEXT
    except UnicodeDecodeError:
        return True


def wrong(partition: int, what: str) -> WrongWorld:
    """The error of a partition that cannot be restored."""
    return WrongWorld(
        f"decider, partition {partition}: {what}; do not delete anything: "
        "compare the topics with a backup, then start again"
    )
