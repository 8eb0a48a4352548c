"""The topics are there with the settings that a ledger needs."""

from __future__ import annotations

from collections.abc import Iterator

from console.doctor.finding import Finding, error, fine
from console.doctor.patient import Patient
from ledger.log.kafka import verify_world
from ledger.log.seam import WrongWorld


def topics(patient: Patient) -> Iterator[Finding]:
    """Each setting that differs."""
    _ = patient.brokers
    try:
        verify_world(patient.ledger.kafka)
    except WrongWorld as wrong:
        for each in str(wrong).split("; "):
            if each.startswith("topic "):
                yield error(
                    each,
                    "records could be lost, or have the wrong instant; no process starts",
                    "set it back with kafka-configs.sh --alter; partitions never change",
                )
            else:
                yield error(each, "there is no ledger here", "create one with 'refundctl init'")
    else:
        yield fine("all topics have their settings")
