"""Settings that are missing, contradict each other or leave a door open."""

from __future__ import annotations

from collections.abc import Iterator

from console.doctor.finding import Finding, error, fine, warning
from console.doctor.patient import Patient
from console.terminal.errors import BadInput, Failed
from devstack.postgres.passwords import without_password


def configuration(patient: Patient) -> Iterator[Finding]:
    """Where the ledger is, and whether somebody could listen on the way there."""
    try:
        ledger = patient.ledger
    except (BadInput, Failed) as why:
        text, _, step = str(why).partition("; ")
        yield error(text, "no ledger can be examined", step or "correct the setting")
        return
    shown = without_password(ledger.database_url)
    yield fine(f"the ledger is at {ledger.bootstrap} and {shown}")
    security = ledger.kafka.security
    if not security.protocol.has_tls and not patient.on_this_machine:
        yield warning(
            f"the brokers at {ledger.bootstrap} are spoken to without TLS",
            "whoever is on the way reads and changes commands, and passwords",
            "set REFUNDS_KAFKA_SECURITY (docs/how-to/secured-cluster.md)",
        )
    if not security.check_hostname:
        yield warning(
            "REFUNDS_KAFKA_CHECK_HOSTNAME is off",
            "any holder of a certificate of the same authority can pose as a broker",
            "use the names of the brokers' certificates in KAFKA_BOOTSTRAP, and unset it",
        )
