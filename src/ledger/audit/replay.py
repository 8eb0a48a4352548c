"""Audits a log from its first record: what is known before, each partition, one report.

It is independent of the code that it audits: it uses the log, the codec and the vocabulary, but no
code that decides, calculates or stores state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from ledger.audit.account_spool import SLICE_RECORDS
from ledger.audit.checks import CHECKS
from ledger.audit.evidence import AuditedPartition, Begin, Check, Divergence
from ledger.audit.partition_audit import PartitionReport, audit_partition
from ledger.audit.reading import first_opened
from ledger.log.seam import LogTools, Topic
from ledger.origins.verifying import KeptOrigins
from ledger.terms.table import TermsTable, released_terms


class AuditReport(Struct, frozen=True, kw_only=True):
    """The records looked at, the checks made, the first divergence of each check, and how many
    decided commands each key of an origin signed: by origin and key id, empty for unsigned ones.
    `left_out` are commands and events before the place; `ends` is where the next audit may begin,
    by partition, if it was asked for and this one is clean.
    """

    commands: int
    events: int
    dead_letters: int
    signed: dict[tuple[str, str], int]
    checks: tuple[str, ...]
    divergences: tuple[Divergence, ...]
    left_out: tuple[int, int] = (0, 0)
    ends: dict[int, Begin] = {}


def audit(
    tools: LogTools,
    decider_group: str,
    checks: Sequence[Check] = CHECKS,
    tell: Callable[[int], None] = lambda _: None,
    terms: TermsTable | None = None,
    origins: KeptOrigins | None = None,
    slice_records: int = SLICE_RECORDS,
    begins: Mapping[int, Begin] | None = None,
    *,
    sealed: bool = False,
) -> AuditReport:
    """Check the complete present log, while others may write to it; memory stays bounded.

    `tell` is called with the number of new steps: two for each record. `terms` are the terms of the
    ledger; the default is the released ones. `origins` are the versions of its table of origins.
    `begins` are the ends of an earlier clean audit; `sealed` asks for those of this one.
    Nothing is written but a file that is gone with the process.
    """
    parts = [
        audit_partition(tools, each, checks, tell, slice_records)
        for each in audited_partitions(tools, decider_group, terms, origins, begins, sealed=sealed)
    ]
    return report_of(checks, parts)


def audited_partitions(
    tools: LogTools,
    decider_group: str,
    terms: TermsTable | None = None,
    origins: KeptOrigins | None = None,
    begins: Mapping[int, Begin] | None = None,
    *,
    sealed: bool = False,
) -> list[AuditedPartition]:
    """What is known of each partition before it is read.

    1. Read the decider's committed offset: commands before it must have an outcome. 2. Read
    `LedgerOpened`.
    """
    # 1
    decided = tools.committed_offsets(decider_group, Topic.COMMANDS)
    # 2
    opened = first_opened(tools)
    table = released_terms() if terms is None else terms
    return [
        AuditedPartition(
            partition=partition,
            partition_count=tools.partition_count,
            opened=opened,
            decided=decided[partition],
            terms=table,
            origins=origins or KeptOrigins(),
            begin=(begins or {}).get(partition, Begin()),
            sealed=sealed,
        )
        for partition in range(tools.partition_count)
    ]


def report_of(checks: Sequence[Check], parts: Sequence[PartitionReport]) -> AuditReport:
    """One report of all partitions, in their order: of each check the first divergence."""
    found: dict[str, Divergence] = {}
    signed: Counter[tuple[str, str]] = Counter()
    for part in parts:
        signed.update(part.signed)
    for part in reversed(parts):
        found |= part.divergences
    names = tuple(each.name for each in checks)
    return AuditReport(
        commands=sum(part.commands for part in parts),
        events=sum(part.events for part in parts),
        dead_letters=sum(part.dead_letters for part in parts),
        signed=dict(sorted(signed.items())),
        checks=names,
        divergences=tuple(found[name] for name in names if name in found),
        left_out=(sum(part.left_out[0] for part in parts), sum(part.left_out[1] for part in parts)),
        ends={} if found else {p.partition: p.end for p in parts if p.end is not None},
    )
