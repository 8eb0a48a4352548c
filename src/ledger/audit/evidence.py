"""What an audit check is shown, step by step, and what it says where its claim does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from ledger.log.seam import LogRecord, Topic
from ledger.terms.table import TermsTable
from ledger.vocabulary.envelope import EventMeta, GivenCommand
from ledger.vocabulary.events import Event, LedgerOpened
from ledger.wire.dead_letters.closing import Resolution


class SeenCommand(Struct, frozen=True, kw_only=True):
    """A record of the commands topic. `given` is None where it cannot be read, and `problem` says
    why. `due` says that an outcome must stand in the log by now.
    """

    record: LogRecord
    given: GivenCommand | None
    problem: str
    due: bool


class SeenEvent(Struct, frozen=True, kw_only=True):
    """A record of the events topic."""

    record: LogRecord
    meta: EventMeta
    body: Event

    @property
    def name(self) -> str:
        """The event's name on the wire."""
        return type(self.body).__name__


class UnreadEvent(Struct, frozen=True, kw_only=True):
    """A record of the events topic that is no event of ours."""

    record: LogRecord
    problem: str


class SeenDeadLetter(Struct, frozen=True, kw_only=True):
    """A record of the dead letters. `source_offset` is that of the command its headers name."""

    record: LogRecord
    source_offset: int | None


class SeenResolution(Struct, frozen=True, kw_only=True):
    """A record of the dead letters that closes one. `resolution` is None where it makes no sense;
    `letter` is what stands where it says the letter is, `copy` where it says the copy is.
    """

    record: LogRecord
    resolution: Resolution | None
    letter: LogRecord | None
    copy: LogRecord | None


class PartitionEnd(Struct, frozen=True, kw_only=True):
    """Nothing more stands in the partition."""

    partition: int


Seen = SeenCommand | SeenEvent | UnreadEvent | SeenDeadLetter | SeenResolution | PartitionEnd
"""In order of the commands' offsets: a command, the events it led to, its dead letter. What names a
command that is not there comes where that command would stand. Resolutions come after all that.
"""


class AuditedPartition(Struct, frozen=True, kw_only=True):
    """What is known of a partition before it is read.

    `opened` is the first partition's `LedgerOpened`; `decided` the offset up to which the decider
    has committed its commands, None if nobody remembers; `terms` all that may have been judged by.
    """

    partition: int
    partition_count: int
    opened: LedgerOpened | None
    decided: int | None
    terms: TermsTable


class Divergence(Struct, frozen=True, kw_only=True):
    """Where the log first departs from what a check claims. `check` is filled in by the audit."""

    topic: Topic
    partition: int
    offset: int
    key: str
    expected: str
    found: str
    check: str = ""


class Check(Protocol):
    """One claim about one partition. The class's docstring is the claim, its module its name."""

    def __init__(self, audited: AuditedPartition) -> None: ...

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Take in the next step; say where the claim does not hold. Not asked again after that."""
        ...


def divergence(
    seen: SeenCommand | SeenEvent | UnreadEvent | SeenDeadLetter | SeenResolution,
    subject: str = "",
    *,
    expected: object,
    found: object,
) -> Divergence:
    """A divergence at a record; `subject` is the thing of the account that it is about."""
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
