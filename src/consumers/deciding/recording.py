"""Between records and decisions: the command that a record gives, and the records that carry the
events, with their place in the log and in the hash chain. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ledger.decide import Fact
from ledger.log.packed_headers import header_named
from ledger.log.seam import LogRecord, Outgoing, Topic
from ledger.origins.table import Mode
from ledger.origins.verifying import Proven, Unproven, Verifier
from ledger.values.ids import derived_id, partition_of
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import (
    NEWEST_EDITION,
    ZERO_HASH,
    EventMeta,
    GivenCommand,
    RecordedEvent,
)
from ledger.vocabulary.events import LedgerOpened
from ledger.vocabulary.shapes import Actor, Role
from ledger.wire.avro.codec import (
    Unreadable,
    UnreadableRecord,
    decode_command,
    encode_event,
    read_command,
    wrong_key,
)
from ledger.wire.cloud_events import TRACE, headers_for_event

SYSTEM = Actor(id="ledger", role=Role.SYSTEM)


class Taker(Struct, frozen=True, kw_only=True):
    """A decider takes commands of this ledger only, in the partition of their key, and of those who
    may give them; without a verifier it asks nobody who they are.
    """

    partition_count: int
    sandbox: bool
    verifier: Verifier | None = None

    @property
    def mode(self) -> Mode:
        """What happens to commands that are not proven."""
        return Mode.OPEN if self.verifier is None else self.verifier.mode

    @property
    def requires_proof(self) -> bool:
        """Whether it sets aside what is not proven."""
        return self.mode is Mode.REQUIRED

    @property
    def origins(self) -> str:
        """The version of the table of origins; empty without one."""
        return "" if self.verifier is None else self.verifier.table.version


class Taken(Struct, frozen=True, kw_only=True):
    """A command to decide, and whose it is; `doubt` says why it is not proven, if that matters."""

    given: GivenCommand
    proven: Proven
    doubt: UnreadableRecord | None


_NOT_PROVEN = Proven()


class Examined(Struct, frozen=True, kw_only=True):
    """What can be seen of any record. A `doubt` is a fault only where it must be.

    The first fault is the one that `readable` raises.
    """

    given: GivenCommand | None
    proven: Proven
    doubt: UnreadableRecord | None
    faults: tuple[UnreadableRecord, ...]


def readable(found: LogRecord, taker: Taker) -> Taken:
    """The command in a record; UnreadableRecord, with the first fault, where it is none to take."""
    given = decode_command(found.key, found.value)
    for fault in _misplaced(found, given, taker):
        raise fault
    proven, doubt = origin_of(found, given, taker)
    if doubt is not None and taker.requires_proof:
        raise doubt
    return Taken(given=given, proven=proven, doubt=doubt)


def origin_of(
    found: LogRecord, given: GivenCommand, taker: Taker
) -> tuple[Proven, UnreadableRecord | None]:
    """Who gave a command, or the doubt about it. Where the table is open, nothing is asked."""
    if taker.verifier is None or taker.verifier.mode is Mode.OPEN:
        return _NOT_PROVEN, None
    answer = taker.verifier.check(given, found.value or b"", found.headers, found.appended_at)
    if isinstance(answer, Unproven):
        return _NOT_PROVEN, UnreadableRecord(Unreadable(answer.doubt), answer.detail)
    return answer, None


def examined(found: LogRecord, taker: Taker) -> Examined:
    """The command in a record, whose it is, and every fault.

    Of a value that cannot be read, that is the one fault. A wrong key hides neither a wrong
    partition nor a wrong clock.
    """
    try:
        given = read_command(found.value)
    except UnreadableRecord as fault:
        return Examined(given=None, proven=_NOT_PROVEN, doubt=None, faults=(fault,))
    proven, doubt = origin_of(found, given, taker)
    faults = [wrong_key(found.key, given), *_misplaced(found, given, taker)]
    if taker.requires_proof:
        faults.append(doubt)
    told = tuple(fault for fault in faults if fault is not None)
    return Examined(given=given, proven=proven, doubt=doubt, faults=told)


def _misplaced(found: LogRecord, given: GivenCommand, taker: Taker) -> Iterator[UnreadableRecord]:
    """What is wrong with where, or under which clock, a well-formed command stands."""
    account_id = given.meta.account_id
    home = partition_of(account_id.encode(), taker.partition_count)
    if home != found.partition:
        yield UnreadableRecord(
            Unreadable.WRONG_PARTITION,
            f"account {account_id} belongs to partition {home}, by Java's murmur2",
        )
    if taker.sandbox != (given.meta.sandbox_at is not None):
        yield UnreadableRecord(
            Unreadable.WRONG_CLOCK,
            "a sandbox takes only commands with sandbox_at"
            if taker.sandbox
            else "sandbox_at is for a sandbox; this ledger uses the broker's append time",
        )


class ChainEnd(Struct, frozen=True, kw_only=True):
    """The last event of a partition: its number, hash, instant, and the command it answered.

    `missing` is how many events of that command are still missing; 0 unless the log is damaged.
    `origins` is the version of the table of origins by which the command was taken.
    """

    log_sequence: int = -1
    last_hash: bytes = ZERO_HASH
    recorded_at: Instant = 0
    source_offset: int = -1
    missing: int = 0
    origins: str = ""

    @property
    def text(self) -> str:
        """The metadata that is committed with the offset, and compared at the next start."""
        return f"{self.log_sequence}:{self.last_hash.hex()}"

    def after(self, recorded: RecordedEvent, body_hash: bytes) -> ChainEnd:
        """The end after this event."""
        meta = recorded.meta
        return ChainEnd(
            log_sequence=meta.log_sequence,
            last_hash=body_hash,
            recorded_at=meta.recorded_at,
            source_offset=meta.source_offset,
            missing=meta.count - meta.index - 1,
            origins=meta.origins,
        )


class Written(Struct, frozen=True, kw_only=True):
    """An event, and the record that carries it."""

    recorded: RecordedEvent
    outgoing: Outgoing


class Answer(Struct, frozen=True, kw_only=True):
    """A decided command: what its events have in common."""

    given: GivenCommand
    digest: bytes
    source: LogRecord
    decided_at: Instant
    terms: str
    first_sequence: int
    proven: Proven = _NOT_PROVEN
    origins: str = ""


def record(
    answer: Answer, facts: Sequence[Fact], end: ChainEnd
) -> tuple[tuple[Written, ...], ChainEnd]:
    """The facts as events in order after `end`, and the chain's new end."""
    written, trace = [], header_named(answer.source.headers, TRACE)
    for index, fact in enumerate(facts):
        meta = _meta(answer, fact, index, len(facts), end)
        recorded = RecordedEvent(meta=meta, body=fact.body)
        each, end = _write(recorded, answer.source.partition, trace, end)
        written.append(each)
    return tuple(written), end


def opening(opened: LedgerOpened, partition: int) -> tuple[Written, ChainEnd]:
    """The first event of a partition. It answers no command and belongs to no account."""
    meta = EventMeta(
        event_id=derived_id("LedgerOpened", str(partition), *sorted(opened.topic_ids.values())),
        account_id="",
        sequence=0,
        source_partition=partition,
        source_offset=-1,
        index=0,
        count=1,
        log_sequence=0,
        prev_hash=ZERO_HASH,
        recorded_at=0,
        occurred_at=0,
        causation_id="",
        command_digest=ZERO_HASH,
        correlation_id="",
        actor=SYSTEM,
        terms="",
        edition=NEWEST_EDITION,
    )
    return _write(RecordedEvent(meta=meta, body=opened), partition, None, ChainEnd())


def _meta(answer: Answer, fact: Fact, index: int, count: int, end: ChainEnd) -> EventMeta:
    given = answer.given.meta
    digest = answer.digest.hex()
    return EventMeta(
        event_id=derived_id(given.account_id, given.command_id, digest, "event", str(index)),
        account_id=given.account_id,
        sequence=answer.first_sequence + index,
        source_partition=answer.source.partition,
        source_offset=answer.source.offset,
        index=index,
        count=count,
        log_sequence=end.log_sequence + 1,
        prev_hash=end.last_hash,
        recorded_at=answer.decided_at,
        occurred_at=fact.occurred_at,
        causation_id=given.command_id,
        command_digest=answer.digest,
        correlation_id=given.correlation_id or given.command_id,
        actor=given.actor,
        terms=answer.terms,
        edition=NEWEST_EDITION,
        origin=answer.proven.origin,
        origin_key=answer.proven.key_id,
        origins=answer.origins,
        approved_by=given.approved_by or "",
    )


def _write(
    recorded: RecordedEvent, partition: int, trace: bytes | None, end: ChainEnd
) -> tuple[Written, ChainEnd]:
    value, body_hash = encode_event(recorded)
    account_id = recorded.meta.account_id
    outgoing = Outgoing(
        topic=Topic.EVENTS,
        partition=partition,
        key=account_id.encode() if account_id else None,
        value=value,
        headers=headers_for_event(recorded, trace),
    )
    return Written(recorded=recorded, outgoing=outgoing), end.after(recorded, body_hash)
