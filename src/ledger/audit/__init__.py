"""The audit: replays the log from its first record and checks every claim."""

from ledger.audit.checks import CHECKS
from ledger.audit.evidence import Check, Divergence
from ledger.audit.replay import AuditReport, audit

__all__ = ["CHECKS", "AuditReport", "Check", "Divergence", "audit"]
