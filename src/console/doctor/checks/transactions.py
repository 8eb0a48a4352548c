"""Transactions that nobody ended, at which readers wait."""

from __future__ import annotations

from collections.abc import Iterator

from console.doctor.finding import Finding, error, fine
from console.doctor.patient import Patient
from ledger.values.instants import SECOND

_PATIENCE = 3
"""So many time limits of a transaction after its last record the brokers should have ended it."""


def transactions(patient: Patient) -> Iterator[Finding]:
    """Open ones whose last record is older than their producer could be at work."""
    limit = _PATIENCE * patient.ledger.kafka.transaction_timeout_ms / 1000
    now = patient.brokers.clock()
    found = patient.brokers.open_transactions()
    late = [each for each in found if now - each.written_at > limit * SECOND]
    for each in late:
        yield error(
            f"{each.topic}/{each.partition}: producer {each.producer_id} has an open transaction "
            f"since {(now - each.written_at) / SECOND:.0f} s",
            "readers of committed records wait at its first record",
            "let the deciders and reactions run: they end it; if it stays, ask the owner of this "
            "producer, and end it with kafka-transactions.sh abort",
        )
    if not late:
        yield fine(f"no transaction hangs; {len(found)} are open now")
