"""The decider: the one writer of a partition. Commands in, events out, exactly once.

Crash-only: whatever goes wrong while something may have been written ends the process, and the next
start learns from the log what was written.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from msgspec import Struct

from consumers.dead_letters.set_aside import dead_letter
from consumers.deciding.reading import Taker, readable
from consumers.deciding.recording import Answer, ChainEnd, Written, opening, record
from consumers.deciding.store import Store
from ledger.decide import Duplicate, decide
from ledger.log.failpoints import passing
from ledger.log.seam import Batch, CommitResult, Log, LogRecord, Outgoing, Topic, WrongWorld
from ledger.state import evolve
from ledger.state.entities import Stream
from ledger.terms.table import TermsTable
from ledger.values.instants import Instant
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import (
    MAX_EVENT_BYTES,
    Unreadable,
    UnreadableRecord,
    body_hash,
    decode_event,
)
from ledger.wire.avro.framing import RegistryUnavailable
from ledger.wire.dead_letters.letter import read_letter

GROUP = "refunds.decider"
RESTORE_RECORDS = 5_000
RESTORE_SECONDS = 60.0
"""Longer than a transaction that a dead process left open: others write to these topics too."""

_log = structlog.get_logger(__name__)


class World(Struct, frozen=True, kw_only=True):
    """What every partition of one ledger has in common, as `LedgerOpened` says it."""

    opened: LedgerOpened
    terms: TermsTable
    max_batch: int = 1_000

    @property
    def events_topic_id(self) -> str:
        """The id of the events topic, which tells one ledger's files from another's."""
        return self.opened.topic_ids[Topic.EVENTS.value]


class CommitLost(Exception):
    """It is not known, or known not to be, committed: the process must end."""


class _OffChain(Exception):
    """The store, or the log itself, is not one unbroken chain."""


class PartitionDecider:
    """Owns one partition: restores its state, then decides what comes."""

    def __init__(self, log: Log, partition: int, store: Store, world: World) -> None:
        self._log = log
        self._partition = partition
        self._world = world
        self._store = store
        self._end = store.place.end
        self._taker = Taker(partition_count=log.partition_count, sandbox=world.opened.sandbox)
        self._position = 0
        self._committed = 0
        self._anchored = False

    def restore(self) -> None:
        """Become the writer, and learn what is true.

        1. Fence: whatever an earlier owner left open ends, and it can write no more.
        2. Ask for the committed offset, then for the high watermark.
        3. Fold every committed event up to it into the store.
        4. Ask for the offset again: had it moved, another would have become the writer meanwhile,
           and what was read would not go together.
        5. Compare the log, the offset's metadata and the store; refuse what does not agree.
        6. An empty log is opened with `LedgerOpened`.

        A crash between any two steps is safe: only step 6 writes, in one transaction.
        """
        self._log.fence(self._partition)
        passing("decider.fenced")
        committed = self._log.committed(self._partition)
        passing("decider.offset-read")
        self._fold(self._log.high_watermark(Topic.EVENTS, self._partition))
        if self._log.committed(self._partition) != committed:
            raise CommitLost(f"partition {self._partition}: another owner has taken over")
        passing("decider.folded")
        if self._end.log_sequence < 0:
            if committed is not None:
                raise self._wrong("the events are gone, though an offset of them is committed")
            self._open()
        elif committed is None:
            self._position = max(self._end.source_offset, self._last_set_aside()) + 1
        else:
            if committed.metadata != self._end.text:
                raise self._wrong(
                    f"the committed offset names {committed.metadata!r} as the last event, "
                    f"the log has {self._end.text!r}"
                )
            if self._end.source_offset >= committed.offset:
                raise self._wrong(
                    f"the last event answers offset {self._end.source_offset}, "
                    f"but {committed.offset} is to be read next"
                )
            self._position = committed.offset
        if self._end.missing:
            raise self._wrong(f"{self._end.missing} events of the last outcome are missing")
        self._check_opening()
        self._committed = self._position
        passing("decider.restored")
        _log.info("restored", partition=self._partition, log_sequence=self._end.log_sequence)

    def step(self, timeout_seconds: float) -> int:
        """Decide what stands in the partition; returns how many commands were read.

        1. Read a batch. 2. Decide each command on the state after the one before.
        3. Commit events, dead letters and the offset in one transaction. 4. Save the store.

        A crash before 3 leaves nothing behind; after 3 the log has all and the store catches up.
        """
        batch = self._log.read(
            Topic.COMMANDS,
            self._partition,
            self._position,
            self._world.max_batch,
            timeout_seconds,
        )
        if not batch.records and batch.next_position == self._committed:
            return 0
        passing("decider.read")
        outgoing = [each for found in batch.records for each in self._decide_or_set_aside(found)]
        passing("decider.decided")
        self._commit(outgoing, batch)
        passing("decider.saved")
        return len(batch.records)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _commit(self, outgoing: list[Outgoing], batch: Batch) -> None:
        result = self._log.commit(self._partition, outgoing, batch.next_position, self._end.text)
        if result is not CommitResult.OK:
            raise CommitLost(f"partition {self._partition}: commit ended {result.name}")
        passing("decider.committed")
        self._position = self._committed = batch.next_position
        # The markers of transactions take offsets too, so this is at most where the last event
        # stands: a later restore reads a few events again and passes over them.
        known, events = self._store.place, sum(each.topic is Topic.EVENTS for each in outgoing)
        first = known.end.log_sequence < 0
        self._store.save(known.from_offset + events - first, self._end)

    def _decide_or_set_aside(self, found: LogRecord) -> list[Outgoing]:
        """The events of a command; or its dead letter, if it cannot be read or breaks the code."""
        end = self._end
        self._store.begin()
        try:
            return self._decide(found, readable(found, self._taker))
        except UnreadableRecord as error:
            reason = error
            self._end = end
        except RegistryUnavailable:  # nothing is wrong with the record: a later start reads it
            raise
        except Exception as error:  # a bug of ours must not stop the partition; nothing is lost
            _log.exception("a command breaks the code", offset=found.offset)
            self._end = end
            self._store.undo()
            reason = UnreadableRecord(Unreadable.BREAKS_THE_CODE, f"{type(error).__name__} {error}")
        _log.warning(
            "dead letter", partition=found.partition, offset=found.offset, reason=str(reason)
        )
        return [dead_letter(found, Topic.COMMANDS, reason)]

    def _decide(self, found: LogRecord, given: GivenCommand) -> list[Outgoing]:
        now = max(self._end.recorded_at, self._instant(given, found))
        digest, terms = command_digest(given), self._world.terms.at(now)
        facts = decide(given, digest, state=self._store, now=now, terms=terms)
        if isinstance(facts, Duplicate):
            return []
        stream = self._store.find(Stream, given.meta.account_id, "")
        answer = Answer(
            given=given,
            digest=digest,
            source=found,
            decided_at=now,
            terms=terms.version,
            first_sequence=1 if stream is None else stream.sequence + 1,
        )
        written, self._end = record(answer, facts, self._end)
        _check_sizes(written)
        for each in written:
            self._store.apply(evolve(self._store, each.recorded))
        return [each.outgoing for each in written]

    def _instant(self, given: GivenCommand, found: LogRecord) -> Instant:
        stamp = given.meta.sandbox_at
        return found.appended_at if stamp is None else stamp

    def _last_set_aside(self) -> int:
        """The source offset of the last dead letter: after a forgotten offset what stands behind
        the last event must not be set aside again. -1 if there is none.
        """
        last, position = -1, 0
        end = self._log.high_watermark(Topic.DEAD_LETTERS, self._partition)
        while position < end:
            batch = self._read(Topic.DEAD_LETTERS, position, end)
            for found in batch.records:
                letter = read_letter(found)
                last = last if letter is None else max(last, letter.source.offset)
            position = batch.next_position
        return last

    def _fold(self, until: int) -> None:
        """Fold the events up to `until`; a store that does not lie on the log's chain is dropped
        and the fold begins again at the first event, once.
        """
        try:
            self._fold_from_store(until)
        except _OffChain as why:
            _log.warning("store dropped", partition=self._partition, reason=str(why))
            self._store.clear()
            self._end = ChainEnd()
            try:
                self._fold_from_store(until)
            except _OffChain as still:
                raise self._wrong(str(still)) from still

    def _fold_from_store(self, until: int) -> None:
        """From the store's last event on, which must be found in the log as the store knows it."""
        position = self._store.place.from_offset
        self._anchored = self._end.log_sequence < 0
        while position < until:
            batch = self._read(Topic.EVENTS, position, until)
            for found in batch.records:
                self._fold_one(found)
            position = batch.next_position
            if batch.records and self._anchored:
                self._store.save(batch.records[-1].offset, self._end)
        if not self._anchored:
            raise _OffChain(f"the log has no event {self._end.log_sequence} where the store had it")

    def _read(self, topic: Topic, position: int, until: int) -> Batch:
        batch = self._log.read(topic, self._partition, position, RESTORE_RECORDS, RESTORE_SECONDS)
        if batch.next_position == position:
            raise self._wrong(f"nothing to read at {position} of {topic}, which ends at {until}")
        return batch

    def _fold_one(self, found: LogRecord) -> None:
        assert found.value is not None
        recorded, digest = decode_event(found.value), body_hash(found.value)
        number, end = recorded.meta.log_sequence, self._end
        if number < end.log_sequence:
            return
        if number == end.log_sequence:
            if digest != end.last_hash:
                raise _OffChain(f"event {number} at offset {found.offset} has another hash")
            self._anchored = True
            return
        if not self._anchored:
            raise _OffChain(f"the log has event {number} where the store had {end.log_sequence}")
        if number != end.log_sequence + 1 or recorded.meta.prev_hash != end.last_hash:
            raise _OffChain(f"the chain breaks at event {number}, offset {found.offset}")
        if end.missing != (recorded.meta.index and recorded.meta.count - recorded.meta.index):
            raise _OffChain(f"the outcome before event {number}, offset {found.offset}, is torn")
        self._store.apply(evolve(self._store, recorded))
        self._end = end.after(recorded, digest)

    def _check_opening(self) -> None:
        """The world the ledger was opened in must be the one that is there now."""
        first = self._first_event()
        opened = None if first is None else decode_event(first.value).body
        expected = self._world.opened
        if not isinstance(opened, LedgerOpened):
            raise self._wrong("the first event is not LedgerOpened")
        for name in ("partition_count", "topic_ids", "sandbox"):
            was, now = getattr(opened, name), getattr(expected, name)
            if was != now:
                raise self._wrong(f"the ledger was opened with {name} {was}, but now it is {now}")

    def _first_event(self) -> LogRecord | None:
        """The first committed record; what was aborted before it may come as nothing first."""
        position, end = 0, self._log.high_watermark(Topic.EVENTS, self._partition)
        while position < end:
            batch = self._log.read(Topic.EVENTS, self._partition, position, 1, RESTORE_SECONDS)
            if batch.records or batch.next_position == position:
                return batch.records[0] if batch.records else None
            position = batch.next_position
        return None

    def _open(self) -> None:
        written, self._end = opening(self._world.opened, self._partition)
        batch = Batch(records=(), next_position=0)
        self._store.apply(evolve(self._store, written.recorded))
        self._commit([written.outgoing], batch)

    def _wrong(self, what: str) -> WrongWorld:
        return WrongWorld(
            f"decider, partition {self._partition}: {what}; do not delete anything: "
            "compare the topics with a backup, then start again"
        )


def _check_sizes(written: Iterable[Written]) -> None:
    """An outcome that the brokers would not take must not stop the partition."""
    for each in written:
        size = len(each.outgoing.value or b"")
        if size > MAX_EVENT_BYTES:
            raise UnreadableRecord(
                Unreadable.TOO_LARGE,
                f"its {each.recorded.name} would have {size} bytes, but at most {MAX_EVENT_BYTES} "
                "are written; split the command",
            )
