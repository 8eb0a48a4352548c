"""The audit: replays the log from its first record and checks every claim."""

from ledger.audit.checks import CHECKS
from ledger.audit.evidence import Check, Divergence
from ledger.audit.partition_audit import audit_partition
from ledger.audit.processes import AuditInterrupted, audit_side_by_side
from ledger.audit.replay import AuditReport, audit, audited_partitions, report_of

__all__ = [
    "CHECKS",
    "AuditInterrupted",
    "AuditReport",
    "Check",
    "Divergence",
    "audit",
    "audit_partition",
    "audit_side_by_side",
    "audited_partitions",
    "report_of",
]
