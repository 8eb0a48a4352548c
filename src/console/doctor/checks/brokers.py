"""The brokers answer, in a version that is known, and every partition has all its copies."""

from __future__ import annotations

from collections.abc import Iterator

from console.doctor.finding import Finding, error, fine, warning
from console.doctor.patient import Patient
from ledger.log.kafka import replicas
from ledger.log.seam import LogUnavailable

OLDEST = (4, 0)


def brokers(patient: Patient) -> Iterator[Finding]:
    """How many brokers run, and partitions that lack copies."""
    kafka = patient.ledger.kafka
    try:
        _ = patient.brokers
    except LogUnavailable as why:
        text, _, step = str(why).partition("; ")
        yield error(text, "nothing is decided while no broker answers", step)
        return
    yield _of_version(patient.brokers.version())
    found = replicas(kafka)
    yield fine(f"brokers that answer: {found.brokers}; copies of every record: {found.replication}")
    if found.unwritable:
        yield error(
            f"nothing can be written to {', '.join(found.unwritable)}",
            "too few of their copies are in sync",
            "start the missing brokers again",
        )
    elif found.under_replicated:
        yield warning(
            f"{', '.join(found.under_replicated)} lack a copy now",
            "one more broker lost stops them",
            "start the missing broker again, or wait until it has caught up",
        )
    if found.replication == 1 and found.brokers > 1:
        yield warning(
            "every record has one copy only, although there are several brokers",
            "a broker that is lost takes its partitions with it",
            "raise the replication of the topics with kafka-reassign-partitions.sh",
        )


def _of_version(found: tuple[int, ...]) -> Finding:
    what = f"the brokers speak version {'.'.join(map(str, found))}"
    if found >= OLDEST:
        return fine(what)
    return warning(
        what, "the ledger was tried with version 4 only", "update the brokers to 4.0 or newer"
    )
