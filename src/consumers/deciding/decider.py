"""The decider: the only writer of a partition. Commands in, events out, exactly once.

Crash-only: an error while something may have been written ends the process, and the next start
reads in the log what was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator

import structlog
from msgspec import Struct
from msgspec.structs import replace

from consumers.dead_letters.set_aside import dead_letter
from consumers.deciding.folding import (
    FOLDED_AT_ONCE,
    Fold,
    accounts_of,
    first_event,
    read_on,
    wrong,
)
from consumers.deciding.recording import Answer, Taken, Taker, Written, opening, readable, record
from consumers.deciding.store import CANNOT_READ, Store
from consumers.garbage import searched_afterwards
from ledger.decide import Duplicate, decide
from ledger.log.failpoints import passing
from ledger.log.seam import (
    Batch,
    CommitResult,
    Committed,
    Log,
    LogRecord,
    Outgoing,
    Topic,
    WrongWorld,
)
from ledger.origins.verifying import Verifier
from ledger.state import evolve
from ledger.state.entities import Stream
from ledger.terms.table import TermsTable
from ledger.values.instants import Instant
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.events import CommandRefused, LedgerOpened
from ledger.wire.avro.codec import (
    MAX_EVENT_BYTES,
    Unreadable,
    UnreadableRecord,
    decode_event,
)
from ledger.wire.avro.framing import RegistryUnavailable
from ledger.wire.cloud_events import told_of
from ledger.wire.dead_letters.letter import read_letter

GROUP = "refunds.decider"

_log = structlog.get_logger(__name__)


class World(Struct, frozen=True, kw_only=True):
    """The settings that all partitions of one ledger share, as in `LedgerOpened`."""

    opened: LedgerOpened
    terms: TermsTable
    max_batch: int = 1_000
    verifier: Callable[[], Verifier | None] = lambda: None
    """By the table of origins as it is now; asked before every batch."""

    @property
    def events_topic_id(self) -> str:
        """The id of the events topic, which distinguishes the files of different ledgers."""
        return self.opened.topic_ids[Topic.EVENTS.value]


class CommitLost(Exception):
    """The commit failed or its result is unknown: the process must end."""


class PartitionDecider:
    """Owns one partition: restores its state, then decides the commands.

    `refusals` counts the violated rules, for the metrics.
    """

    def __init__(
        self,
        log: Log,
        partition: int,
        store: Store,
        world: World,
        refusals: Counter[str] | None = None,
    ) -> None:
        self._log = log
        self._refusals = Counter() if refusals is None else refusals
        self._partition = partition
        self._world = world
        self._store = store
        self._end = store.place.end
        self._taker = Taker(partition_count=log.partition_count, sandbox=world.opened.sandbox)
        self._position = 0
        self._committed = 0
        self._doubts: list[str] = []
        self._begun: _Begun | None = None

    def restore(self) -> None:
        """Restore it in one go."""
        for _ in self.restoring():
            pass

    def restoring(self) -> Iterator[None]:
        """Become the writer, and restore the state from the log. Yields where others may work.

        1. Fence: open transactions of an earlier owner end, and it can no longer write. Take the
           snapshot over in the same way.
        2. Read the committed offset, then the high watermark.
        3. Fold every committed event up to it into the store.
        4. Read the offset again: if it has moved, another process is the writer now, and the values
           of 2 and 3 do not belong together.
        5. Compare the log, the offset's metadata and the store; refuse to start if they differ.
        6. Open an empty log with `LedgerOpened`.

        A crash between any two steps is safe: only step 6 writes, in one transaction.
        """
        self._log.fence(self._partition)
        passing("decider.fenced")
        self._store.meet_snapshot()
        committed = self._log.committed(self._partition)
        passing("decider.offset-read")
        fold = Fold(self._log, self._partition, self._store)
        yield from fold.until(self._log.high_watermark(Topic.EVENTS, self._partition))
        self._end = fold.end
        if self._log.committed(self._partition) != committed:
            raise CommitLost(f"partition {self._partition}: another owner has taken over")
        passing("decider.folded")
        if committed is None and self._end.log_sequence < 0:
            self._open()
        elif committed is None:
            last_set_aside = yield from self._last_set_aside()
            self._position = max(self._end.source_offset, last_set_aside) + 1
        else:
            self._check_offset(committed)
            self._position = committed.offset
        if self._end.missing:
            raise self._wrong(f"{self._end.missing} events of the last outcome are missing")
        self._check_opening()
        self._ask_whose_commands()
        self._committed = self._position
        self._store.keep_snapshot()
        passing("decider.restored")
        _log.info(
            "restored",
            partition=self._partition,
            log_sequence=self._end.log_sequence,
            origins=self._taker.mode.value,
        )

    def step(self, timeout_seconds: float) -> int:
        """Begin and finish: for whoever works on one partition only."""
        done = self.begin(timeout_seconds)
        self.finish()
        return done

    def begin(self, timeout_seconds: float = 0.0) -> int:
        """Decide the next commands of the partition; returns how many were read.

        1. Read a batch, and all commands in it: one kind of work after the other takes a tenth less
        time. 2. Decide each command on the state that the one before left. 3. Begin to commit
        events, dead letters and the offset in one transaction. `finish`: 4. Wait for the commit.
        5. Save the store.

        A crash before 3 leaves nothing, between 3 and 4 nothing or everything; after 4 the log has
        everything and the store catches up.
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
        self._store.prepare(accounts_of(batch.records))
        self._ask_whose_commands()
        with searched_afterwards():
            outgoing = self._answers(batch)
        passing("decider.decided")
        self._tell_doubts()
        self._begin_commit(outgoing, batch)
        return len(batch.records)

    def finish(self) -> None:
        """Wait for the commit that was begun, if there is one, and save the store."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        result = self._log.finish_commit(self._partition)
        if result is not CommitResult.OK:
            raise CommitLost(f"partition {self._partition}: commit result {result.name}")
        passing("decider.committed")
        self._position = self._committed = begun.next_position
        # Transaction markers take offsets too, so this is at most the offset of the last
        # event: a later restore reads a few events again and skips them.
        known = self._store.place
        first = known.end.log_sequence < 0
        self._store.save(known.from_offset + begun.events - first, self._end)
        passing("decider.saved")

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _begin_commit(self, outgoing: list[Outgoing], batch: Batch) -> None:
        offset = batch.next_position
        self._log.begin_commit(self._partition, outgoing, offset, self._end.text)
        events = sum(each.topic is Topic.EVENTS for each in outgoing)
        self._begun = _Begun(next_position=offset, events=events)

    def _answers(self, batch: Batch) -> list[Outgoing]:
        given = [(found, self._taken(found)) for found in batch.records]
        return [each for found, taken in given for each in self._decide_or_set_aside(found, taken)]

    def _taken(self, found: LogRecord) -> Taken | Exception:
        """The command in a record, or why it is set aside."""
        try:
            return readable(found, self._taker)
        except RegistryUnavailable:  # the record is not faulty: a later start reads it
            raise
        except Exception as error:  # a bug in our code concerns this record only
            return error

    def _decide_or_set_aside(self, found: LogRecord, taken: Taken | Exception) -> list[Outgoing]:
        """The events of a command; or its dead letter, if it cannot be read or causes an
        exception.
        """
        end = self._end
        self._store.begin()
        try:
            if isinstance(taken, Exception):
                raise taken
            return self._decide(found, taken)
        except UnreadableRecord as error:
            reason = error
            self._end = end
        except (RegistryUnavailable, *CANNOT_READ):
            raise
        except Exception as error:  # a bug in our code must not stop the partition; nothing is lost
            _log.exception("a command caused an exception", **told_of(found))
            self._end = end
            self._store.undo()
            reason = UnreadableRecord(Unreadable.BREAKS_THE_CODE, f"{type(error).__name__} {error}")
        _log.warning("dead letter", reason=str(reason), **told_of(found))
        return [dead_letter(found, Topic.COMMANDS, reason)]

    def _decide(self, found: LogRecord, taken: Taken) -> list[Outgoing]:
        given = taken.given
        if taken.doubt is not None:
            self._doubts.append(str(taken.doubt))
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
            proven=taken.proven,
            origins=self._taker.origins,
        )
        written, self._end = record(answer, facts, self._end)
        _check_sizes(written)
        for each in written:
            self._store.apply(evolve(self._store, each.recorded))
        refused = written[0].recorded.body
        if isinstance(refused, CommandRefused):
            self._refusals.update(violation.rule for violation in refused.violations)
        return [each.outgoing for each in written]

    def _ask_whose_commands(self) -> None:
        """Take commands by the newest table of origins. An older one than that of the last event
        would take commands that were forbidden since, so it is a wrong world.
        """
        verifier, taker, last = self._world.verifier(), self._taker, self._end.origins
        if verifier is not taker.verifier:
            taker = replace(taker, verifier=verifier)
        if last and (verifier is None or last not in verifier.history):
            raise self._wrong(
                f"the last event was decided by version {last} of the table of origins, which is "
                f"not in this one, of version {taker.origins or 'none'}; restore REFUNDS_ORIGINS"
            )
        if taker is not self._taker:
            self._taker = taker
            mode, version = taker.mode.value, taker.origins
            _log.info("origins", partition=self._partition, mode=mode, version=version)

    def _tell_doubts(self) -> None:
        if self._doubts:
            _log.warning(
                "taken although their origin is not proven",
                partition=self._partition,
                commands=len(self._doubts),
                first=self._doubts[0],
            )
            self._doubts.clear()

    def _instant(self, given: GivenCommand, found: LogRecord) -> Instant:
        stamp = given.meta.sandbox_at
        return found.appended_at if stamp is None else stamp

    def _check_offset(self, committed: Committed) -> None:
        """The committed offset must belong to the last event that was folded."""
        end = self._end
        if end.log_sequence < 0:
            raise self._wrong("the events are missing, although an offset is committed")
        if committed.metadata != end.text:
            raise self._wrong(
                f"the committed offset names {committed.metadata!r} as the last event, "
                f"the log has {end.text!r}"
            )
        if end.source_offset >= committed.offset:
            raise self._wrong(
                f"the last event answers offset {end.source_offset}, "
                f"but {committed.offset} is to be read next"
            )

    def _last_set_aside(self) -> Generator[None, None, int]:
        """The source offset of the last dead letter, -1 if there is none: after a lost offset, dead
        letters after the last event must not be written again.
        """
        last, position = -1, 0
        end = self._log.high_watermark(Topic.DEAD_LETTERS, self._partition)
        while position < end:
            batch = yield from read_on(
                self._log, Topic.DEAD_LETTERS, self._partition, position, end, FOLDED_AT_ONCE
            )
            for found in batch.records:
                letter = read_letter(found)
                last = last if letter is None else max(last, letter.source.offset)
            position = batch.next_position
        return last

    def _check_opening(self) -> None:
        """The settings in `LedgerOpened` must equal the present ones."""
        first = first_event(self._log, self._partition)
        opened = None if first is None else decode_event(first.value).body
        expected = self._world.opened
        if not isinstance(opened, LedgerOpened):
            raise self._wrong("the first event is not LedgerOpened")
        for name in ("partition_count", "topic_ids", "sandbox"):
            was, now = getattr(opened, name), getattr(expected, name)
            if was != now:
                raise self._wrong(f"the ledger was opened with {name} {was}, but now it is {now}")

    def _open(self) -> None:
        written, self._end = opening(self._world.opened, self._partition)
        batch = Batch(records=(), next_position=0)
        self._store.apply(evolve(self._store, written.recorded))
        self._begin_commit([written.outgoing], batch)
        self.finish()

    def _wrong(self, what: str) -> WrongWorld:
        return wrong(self._partition, what)


class _Begun(Struct, frozen=True, kw_only=True):
    """A commit that is under way: the position after it, and its number of events."""

    next_position: int
    events: int


def _check_sizes(written: Iterable[Written]) -> None:
    """An outcome that the brokers would reject must not stop the partition."""
    for each in written:
        size = len(each.outgoing.value or b"")
        if size > MAX_EVENT_BYTES:
            raise UnreadableRecord(
                Unreadable.TOO_LARGE,
                f"its {each.recorded.name} would have {size} bytes, but at most {MAX_EVENT_BYTES} "
                "are written; split the command",
            )
