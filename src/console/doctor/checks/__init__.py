"""The checks, in order: why something does not answer is said before it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.doctor.checks.brokers import brokers
from console.doctor.checks.certificates import certificates
from console.doctor.checks.clocks import clocks
from console.doctor.checks.configuration import configuration
from console.doctor.checks.database import database
from console.doctor.checks.disks import disks
from console.doctor.checks.lag import lag
from console.doctor.checks.origins import origins
from console.doctor.checks.processes import processes
from console.doctor.checks.reactions.erased_keys import erased_keys
from console.doctor.checks.reactions.overdue_deadlines import overdue_deadlines
from console.doctor.checks.snapshots import snapshots
from console.doctor.checks.topics import topics
from console.doctor.checks.transactions import transactions
from console.doctor.checks.versions import versions
from console.doctor.finding import Finding
from console.doctor.patient import Patient

CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    configuration,
    processes,
    brokers,
    database,
    versions,
    topics,
    certificates,
    clocks,
    disks,
    transactions,
    lag,
    overdue_deadlines,
    erased_keys,
    origins,
    snapshots,
)
"""A check is named for its file. All run, whatever another one finds."""
