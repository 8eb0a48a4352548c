"""Keys of erased texts: none outlived the erasure."""

from __future__ import annotations

from collections.abc import Iterator

from console.doctor.finding import Finding, error, fine
from console.doctor.patient import Patient
from ledger.values.instants import SECOND

LATE = 60 * SECOND
_OUTLIVED = """
SELECT DISTINCT key.account_id, key.number
FROM read_models.outcomes AS event
JOIN secrets.account_keys AS key ON key.account_id = event.account_id
    AND key.number <= (event.body ->> 'key_number')::bigint
WHERE event.event_name = 'SubjectErased' AND key.destroyed_at IS NULL
    AND event.recorded_at < %s
ORDER BY 1, 2
"""


def erased_keys(patient: Patient) -> Iterator[Finding]:
    """A minute after the erasure was recorded; in a sandbox by its own clock."""
    before = patient.ledger_now - LATE
    rows = patient.database.execute(_OUTLIVED, (before,)).fetchall()
    if rows:
        told = ", ".join(f"{account} ({number})" for account, number in rows)
        yield error(
            f"keys outlived the erasure of their texts: {told}",
            "who has the master key can still read these texts",
            "see that the reactions run (refundctl status), and read refundctl logs reactions",
        )
    else:
        yield fine("no key outlived the erasure of its texts")
