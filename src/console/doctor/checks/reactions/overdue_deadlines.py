"""Deadlines that are due and were not sent."""

from __future__ import annotations

from collections.abc import Iterator

from console.doctor.finding import Finding, error, fine
from console.doctor.patient import Patient
from ledger.values.instants import SECOND

LATE = 60 * SECOND
_OVERDUE = """
SELECT count(*), min(due_at) FROM consumers.deadlines WHERE state = 'PENDING' AND due_at < %s
"""


def overdue_deadlines(patient: Patient) -> Iterator[Finding]:
    """In a sandbox by its own clock."""
    now = patient.ledger_now
    row = patient.database.execute(_OVERDUE, (now - LATE,)).fetchone()
    assert row is not None
    count, earliest = row
    if count:
        yield error(
            f"{count} deadlines are overdue, the earliest by {(now - earliest) / SECOND:.0f} s",
            "what they end goes on: an instance in the recycle bin is not destroyed, a review "
            "does not end",
            "see that the reactions run (refundctl status), and read refundctl logs reactions",
        )
    else:
        yield fine("no deadline is overdue")
