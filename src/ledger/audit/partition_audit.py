"""Audits one partition: first in the order of its log, then slice after slice of its accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from msgspec import Struct

from ledger.audit.account_spool import SLICE_RECORDS, AccountSpool
from ledger.audit.before import Before, accounts_since
from ledger.audit.evidence import (
    AuditedPartition,
    Begin,
    Check,
    Divergence,
    PartitionEnd,
    Seen,
    SeenCommand,
    SeenDeadLetter,
    SeenEvent,
    SeenResolution,
    UnreadEvent,
)
from ledger.audit.kept import Kept
from ledger.audit.looks import First, Looks
from ledger.audit.reading import replayed
from ledger.log.seam import LogTools, Topic

_TOLD_STEPS = 500


class PartitionReport(Struct, frozen=True, kw_only=True):
    """The records of a partition that were looked at, the first divergence of each check, and how
    many decided commands each key of an origin signed: by origin and key id, empty for unsigned
    ones. `left_out` is the number of commands and events before the place that were not looked at;
    `end` is where the next audit may begin.
    """

    partition: int
    commands: int
    events: int
    dead_letters: int
    signed: dict[tuple[str, str], int]
    divergences: dict[str, Divergence]
    left_out: tuple[int, int] = (0, 0)
    end: Begin | None = None


def audit_partition(
    tools: LogTools,
    audited: AuditedPartition,
    checks: Sequence[Check],
    tell: Callable[[int], None],
    slice_records: int = SLICE_RECORDS,
) -> PartitionReport:
    """Check one partition, in the memory that a slice of its accounts needs.

    If it begins at a place, what is before is compared with the digest of then, and decoded only
    for accounts with something new. Raises PlaceRefused if it is not the same.

    1. Read it in the order of the log, decode every record once, and give it to the checks of the
    log. Keep what was decoded on disk, by slices of accounts. 2. Give slice after slice to the
    checks of accounts. `tell` is called with the number of new steps; a record is one in 1 and one
    in 2.
    """
    found: dict[str, First] = {}
    tally, pace, before = _Tally(), _Pace(tell), _before(tools, audited)
    of_log = {each.name: each.of_log(audited) for each in checks if each.of_log is not None}
    of_accounts = {each.name: each.of_accounts for each in checks if each.of_accounts is not None}
    slices = max(1, -(-_records(tools, audited) // slice_records))
    with closing(AccountSpool(audited.partition, slices)) as spool:
        # 1
        looks, number = Looks(of_log, found), 0
        for number, seen in enumerate(replayed(tools, audited, before)):
            tally.count(seen)
            if before is None or before.is_new(seen):
                looks.give(number, seen)
            if of_accounts and (before is None or before.is_whole(seen)):
                spool.put(number, seen)
            if before is not None:
                before.pass_by(seen)
            pace.step()
        # 2
        end = PartitionEnd(partition=audited.partition)
        for each in range(spool.slices) if of_accounts else ():
            running = {name: kind(audited, Kept()) for name, kind in of_accounts.items()}
            looks = Looks(running, found)
            for place, seen in spool.take(each):
                looks.give(place, seen)
                pace.step()
            looks.give(number, end)
    pace.close()
    return _report(audited.partition, tally, found, before)


def _before(tools: LogTools, audited: AuditedPartition) -> Before | None:
    """None for an audit of the whole log that nobody wants to continue."""
    if audited.begin.digests:
        return Before(audited, accounts_since(tools, audited))
    return Before(audited) if audited.sealed else None


def _report(
    partition: int, tally: _Tally, found: Mapping[str, First], before: Before | None
) -> PartitionReport:
    left_out = (0, 0)
    if before is not None:
        left_out = (before.left_out[Topic.COMMANDS], before.left_out[Topic.EVENTS])
    return PartitionReport(
        partition=partition,
        commands=tally.commands,
        events=tally.events,
        dead_letters=tally.dead_letters,
        signed=dict(tally.signed),
        divergences={name: divergence for name, (_, divergence) in found.items()},
        left_out=left_out,
        end=None if before is None else before.end(),
    )


class _Tally:
    """Counts the records read."""

    def __init__(self) -> None:
        self.commands = self.events = self.dead_letters = 0
        self.signed: Counter[tuple[str, str]] = Counter()

    def count(self, seen: Seen) -> None:
        match seen:
            case SeenCommand():
                self.commands += 1
            case SeenEvent(meta=meta):
                self.events += 1
                if meta.index == 0 and meta.account_id:
                    self.signed[meta.origin, meta.origin_key] += 1
            case UnreadEvent():
                self.events += 1
            case SeenDeadLetter():
                self.dead_letters += 1
            case SeenResolution() | PartitionEnd():
                return


class _Pace:
    """Tells of the steps, several hundred at a time."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._steps = 0

    def step(self) -> None:
        self._steps += 1
        if self._steps == _TOLD_STEPS:
            self.close()

    def close(self) -> None:
        self._tell(self._steps)
        self._steps = 0


def _records(tools: LogTools, audited: AuditedPartition) -> int:
    """About how many commands and events there are: some offsets are those of transactions."""
    ends = [tools.end_offsets(topic) for topic in (Topic.COMMANDS, Topic.EVENTS)]
    return sum(each[audited.partition] for each in ends)
