"""The audit: replays the log from its first record and checks every claim."""

from ledger.audit.before import PlaceRefused
from ledger.audit.checks import CHECKS
from ledger.audit.evidence import Begin, Check, Divergence
from ledger.audit.partition_audit import audit_partition
from ledger.audit.places import Place, place_of, place_to_bytes
from ledger.audit.processes import AuditInterrupted, audit_side_by_side
from ledger.audit.replay import AuditReport, audit, audited_partitions, report_of

__all__ = [
    "CHECKS",
    "AuditInterrupted",
    "AuditReport",
    "Begin",
    "Check",
    "Divergence",
    "Place",
    "PlaceRefused",
    "audit",
    "audit_partition",
    "audit_side_by_side",
    "audited_partitions",
    "place_of",
    "place_to_bytes",
    "report_of",
]
