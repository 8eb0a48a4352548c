"""Until when the certificates are valid: our own files, and those that brokers show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from console.doctor.finding import Finding, error, fine, skipped, warning
from console.doctor.patient import Patient
from ledger.log.kafka.examination import certificates_shown
from ledger.values.instants import as_datetime

SOON = timedelta(days=30)


def certificates(patient: Patient) -> Iterator[Finding]:
    """First the files, because an expired one is often why no broker answers."""
    now = as_datetime(patient.clock.now())
    security = patient.ledger.kafka.security
    files = [path for path in (security.ca_file, security.certificate_file) if path is not None]
    for path in files:
        yield from _of_file(path, now)
    shown = certificates_shown(patient.ledger.kafka)
    for where, der in shown.items():
        yield _judged(f"the broker at {where} shows", x509.load_der_x509_certificate(der), now)
    if not files and not shown:
        yield skipped("the brokers are spoken to without TLS: there are no certificates")


def _of_file(path: Path, now: datetime) -> Iterator[Finding]:
    for each in x509.load_pem_x509_certificates(path.read_bytes()):
        yield _judged(f"{path} has", each, now)


def _judged(where: str, found: x509.Certificate, now: datetime) -> Finding:
    until = found.not_valid_after_utc
    what = f"{where} a certificate valid until {until:%Y-%m-%d %H:%M} UTC"
    if found.not_valid_before_utc > now:
        return error(
            f"{where} a certificate valid from {found.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on",
            "no connection is made until then",
            "set this machine's clock, or use the certificate that is valid now",
        )
    if until <= now:
        return error(what, "it has expired: no connection is made", "replace it now")
    if until - now < SOON:
        return warning(what, "no connection is made from then on", "replace it before that day")
    return fine(what)
