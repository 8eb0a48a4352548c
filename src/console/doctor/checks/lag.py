"""Consumers that are behind, and whether they move."""

from __future__ import annotations

from collections.abc import Iterator

from console.doctor.finding import Finding, error, fine, warning
from console.doctor.patient import Patient
from console.running.lag import Lag, lags

MANY_RECORDS = 10_000
LOOK_SECONDS = 3.0


def lag(patient: Patient) -> Iterator[Finding]:
    """Looks twice, if a consumer is behind: one that is behind and does not move stands still."""
    first = lags(patient.tools, patient.database)
    if any(sum(each.by_partition) for each in first):
        patient.wait_seconds(LOOK_SECONDS)
        for before, after in zip(first, lags(patient.tools, patient.database), strict=True):
            yield _judged(before, after)
    else:
        yield fine("every consumer has read everything")


def _judged(before: Lag, after: Lag) -> Finding:
    behind = sum(after.by_partition)
    what = f"{after.consumer} is {behind} records behind in {after.topic}"
    still = [
        partition
        for partition, (was, now) in enumerate(zip(before.positions, after.positions, strict=True))
        if was == now and before.by_partition[partition]
    ]
    if still:
        return error(
            f"{what}, and does not move in partitions {', '.join(map(str, still))}",
            "these records are not worked on",
            "see that its process runs (refundctl status), and read its log (refundctl logs)",
        )
    if behind > MANY_RECORDS:
        return warning(
            what,
            "what it shows or does is late",
            "wait, or add workers with 'refundctl scale' if it does not become less",
        )
    return fine(what if behind else f"{after.consumer} has read everything")
