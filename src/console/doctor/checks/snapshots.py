"""The snapshots of the deciders' state: each holds what was decided until a short time ago."""

from __future__ import annotations

from collections.abc import Iterator

from console.doctor.finding import Finding, fine, skipped, warning
from console.doctor.patient import Patient

LATE_SECONDS = 900
_LATE = """
SELECT kept.partition, place.log_sequence - kept.log_sequence,
    kept.log_sequence < place.log_sequence
        AND kept.written_at < clock_timestamp() - make_interval(secs => %s)
FROM consumers.decider_snapshots AS kept
JOIN consumers.checkpoints AS place
    ON place.consumer = 'projector' AND place.partition = kept.partition
WHERE kept.place IS NOT NULL ORDER BY kept.partition
"""


def snapshots(patient: Patient) -> Iterator[Finding]:
    """Beside the events that the projector has shown."""
    rows = patient.database.execute(_LATE, (LATE_SECONDS,)).fetchall()
    late = {partition: events for partition, events, is_late in rows if is_late}
    if not rows:
        yield skipped("there are no snapshots yet, or REFUNDS_SNAPSHOT_SECONDS is 0")
    elif late:
        told = ", ".join(f"{partition} ({events} events)" for partition, events in late.items())
        yield warning(
            f"no snapshot for {LATE_SECONDS // 60} minutes; behind in partitions {told}",
            "a decider on a new machine folds so many events before it decides",
            "see why in the deciders' logs (refundctl logs decider)",
        )
    else:
        yield fine(f"the snapshots of {len(rows)} partitions are up to date")
