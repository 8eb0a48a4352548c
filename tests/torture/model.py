"""The pure model: what the commands of one partition lead to, one after another, undisturbed.

It uses the pure core alone (`decide`, `evolve`, `record`): no log, no store, no transaction, no
process. What an event must be is compared byte for byte, its place in the hash chain included.
"""

from __future__ import annotations

from msgspec import Struct

from consumers.deciding.recording import Answer, ChainEnd, opening, record
from ledger.decide import Duplicate, decide
from ledger.log.seam import LogRecord
from ledger.state import MemoryState, evolve
from ledger.state.entities import Stream
from ledger.terms.table import TermsTable
from ledger.values.ids import partition_of
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import UnreadableRecord, decode_command, encode_event


class Expected(Struct, frozen=True, kw_only=True):
    """What must come of a record: its events (none for a redelivery), or a dead letter."""

    source: LogRecord
    command: tuple[str, str] | None = None
    events: tuple[RecordedEvent, ...] = ()
    values: tuple[bytes, ...] = ()
    dead: bool = False


class PartitionModel:
    """The ledger of one partition, as it must be."""

    def __init__(self, opened: LedgerOpened, terms: TermsTable, partition: int) -> None:
        self._partition_count = opened.partition_count
        self._terms = terms
        self._state = MemoryState()
        self._end = ChainEnd()
        first, self._end = opening(opened, partition)
        self.opening: bytes | None = first.outgoing.value

    def judge(self, found: LogRecord) -> Expected:
        """What the next record of the commands must lead to."""
        try:
            given = decode_command(found.key, found.value)
        except UnreadableRecord:
            return Expected(source=found, dead=True)
        account_id = given.meta.account_id
        astray = partition_of(account_id.encode(), self._partition_count) != found.partition
        if astray or given.meta.sandbox_at is not None:
            return Expected(source=found, dead=True)
        now = max(self._end.recorded_at, found.appended_at)
        digest, terms = command_digest(given), self._terms.at(now)
        command = (account_id, given.meta.command_id)
        facts = decide(given, digest, state=self._state, now=now, terms=terms)
        if isinstance(facts, Duplicate):
            return Expected(source=found, command=command)
        stream = self._state.find(Stream, account_id, "")
        answer = Answer(
            given=given,
            digest=digest,
            source=found,
            decided_at=now,
            terms=terms.version,
            first_sequence=1 if stream is None else stream.sequence + 1,
        )
        written, self._end = record(answer, facts, self._end)
        for each in written:
            self._state.apply(evolve(self._state, each.recorded))
        return Expected(
            source=found,
            command=command,
            events=tuple(each.recorded for each in written),
            values=tuple(encode_event(each.recorded)[0] for each in written),
        )
