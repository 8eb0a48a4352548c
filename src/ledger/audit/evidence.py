"""The input of an audit check, step by step, and its result if a claim does not hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Protocol

from msgspec import Struct

from ledger.audit.kept import Kept
from ledger.log.seam import LogRecord, Topic
from ledger.origins.verifying import KeptOrigins
from ledger.terms.table import TermsTable
from ledger.values.instants import Instant, format_instant
from ledger.vocabulary.envelope import FIRST_EDITION, ZERO_HASH, EventMeta, GivenCommand
from ledger.vocabulary.events import Event, LedgerOpened
from ledger.wire.dead_letters.closing import Resolution


class SeenCommand(Struct, frozen=True, kw_only=True):
    """A record of the commands topic, with its digest. If it cannot be read, `given` is None and
    `problem` says why. If `due`, its outcome must be in the log.
    """

    record: LogRecord
    given: GivenCommand | None
    digest: bytes
    problem: str
    due: bool


class SeenEvent(Struct, frozen=True, kw_only=True):
    """A record of the events topic. `usual` if its bytes are known to be its only encoding; `apart`
    if the log has another command between it and its own, which only checks of accounts are told.
    """

    record: LogRecord
    meta: EventMeta
    body: Event
    usual: bool = False
    apart: bool = False

    @property
    def name(self) -> str:
        """The event's name on the wire."""
        return type(self.body).__name__


class UnreadEvent(Struct, frozen=True, kw_only=True):
    """A record of the events topic that is not an event of ours."""

    record: LogRecord
    problem: str


class SeenDeadLetter(Struct, frozen=True, kw_only=True):
    """A dead letter. `source_offset` is the offset of the command that its headers name."""

    record: LogRecord
    source_offset: int | None


class SeenResolution(Struct, frozen=True, kw_only=True):
    """A record of the dead letters topic that closes a letter. `resolution` is None if it is not
    valid; `letter` and `copy` are the records at the positions that it names for them.
    """

    record: LogRecord
    resolution: Resolution | None
    letter: LogRecord | None
    copy: LogRecord | None


class PartitionEnd(Struct, frozen=True, kw_only=True):
    """The end of the partition."""

    partition: int


Seen = SeenCommand | SeenEvent | UnreadEvent | SeenDeadLetter | SeenResolution | PartitionEnd
"""In order of the commands' offsets: a command, its events, its dead letter. An event or letter of
a missing command comes at the position of that command. Resolutions come last.
"""


class Begin(Struct, frozen=True, kw_only=True):
    """The place where the checks of a partition begin: the first offset of each topic, the number
    of the next event, and of the event before it the hash, the instant, the edition and the version
    of the origins. `digests` are those of all records before, by topic; none at the first one.
    """

    commands: int = 0
    events: int = 0
    dead_letters: int = 0
    log_sequence: int = 0
    last_hash: bytes = ZERO_HASH
    recorded_at: Instant = 0
    edition: int = FIRST_EDITION
    origins: str = ""
    digests: dict[str, bytes] = {}


class AuditedPartition(Struct, frozen=True, kw_only=True):
    """What is known about a partition before it is read.

    `opened` is the first partition's `LedgerOpened`; `decided` is the decider's committed offset in
    the commands, None if it is not known; `terms` are all terms that decisions may have used,
    `origins` every version of the table of origins. `sealed` asks for the place where it ends.
    """

    partition: int
    partition_count: int
    opened: LedgerOpened | None
    decided: int | None
    terms: TermsTable
    origins: KeptOrigins = KeptOrigins()
    begin: Begin = Begin()
    sealed: bool = False


class Divergence(Struct, frozen=True, kw_only=True):
    """The first record at which a claim does not hold. The audit sets `check`."""

    topic: Topic
    partition: int
    offset: int
    key: str
    expected: str
    found: str
    check: str = ""


class Look(Protocol):
    """What checks of the log and of accounts have in common. `heeds` are the kinds of steps, and of
    events, that it wants to see.
    """

    heeds: ClassVar[tuple[type, ...]]

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Process the next step; gives divergences. Not called again after the first one.

        Almost every step is as it must be, so the checks of every step are no generators: to make
        one for each step and check took a tenth of the audit.
        """
        ...


class LogCheck(Look, Protocol):
    """A claim about one partition, in the order of its log."""

    def __init__(self, audited: AuditedPartition) -> None: ...


class AccountCheck(Look, Protocol):
    """A claim about each account alone. It sees the commands and events of some accounts in order,
    without the bytes of their records, and stores what it needs in `kept`.
    """

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None: ...


class Check(Struct, frozen=True, kw_only=True):
    """One claim of the audit: what is checked of the log, of each account, or of both."""

    name: str
    claim: str
    of_log: type[LogCheck] | None = None
    of_accounts: type[AccountCheck] | None = None


def divergence(
    seen: SeenCommand | SeenEvent | UnreadEvent | SeenDeadLetter | SeenResolution,
    subject: str = "",
    *,
    expected: object,
    found: object,
) -> Divergence:
    """A divergence at a record; `subject` is the entity of the account that it is about."""
    topic = Topic.EVENTS
    if isinstance(seen, SeenCommand):
        topic = Topic.COMMANDS
    elif isinstance(seen, SeenDeadLetter | SeenResolution):
        topic = Topic.DEAD_LETTERS
    key = (seen.record.key or b"").decode(errors="replace")
    return Divergence(
        topic=topic,
        partition=seen.record.partition,
        offset=seen.record.offset,
        key=f"{key} {subject}".strip(),
        expected=str(expected),
        found=str(found),
    )


def instant_told(instant: Instant) -> str:
    """An instant as text; an event of a falsified log can have one that no calendar has."""
    try:
        return format_instant(instant)
    except OverflowError:
        return f"{instant} microseconds after 1970, which is no date"
