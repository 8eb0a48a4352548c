"""Until when the certificates are valid: our own, and those of brokers and database."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from psycopg.conninfo import conninfo_to_dict

from console.doctor.finding import Finding, error, fine, skipped, warning
from console.doctor.patient import Patient
from ledger.log.kafka.examination import certificates_shown
from ledger.values.instants import as_datetime

SOON = timedelta(days=30)
_TLS = ("require", "verify-ca", "verify-full")
_ASK_FOR_TLS = struct.pack(">ii", 8, 80877103)
"""libpq's SSLRequest."""
_SECONDS = 5.0


def certificates(patient: Patient) -> Iterator[Finding]:
    """First the files, because an expired one is often why no broker answers."""
    now = as_datetime(patient.clock.now())
    security = patient.ledger.kafka.security
    database = conninfo_to_dict(patient.ledger.database_url)
    files = [security.ca_file, security.certificate_file]
    files += [_path(database.get(name)) for name in ("sslrootcert", "sslcert")]
    for path in dict.fromkeys(each for each in files if each is not None):
        yield from _of_file(path, now)
    brokers = certificates_shown(patient.ledger.kafka)
    shown = {f"broker at {where}": der for where, der in brokers.items()}
    if database.get("sslmode") in _TLS:
        shown |= {f"database at {where}": der for where, der in _of_database(database)}
    for where, der in shown.items():
        yield _judged(f"the {where} shows", x509.load_der_x509_certificate(der), now)
    if not any(files) and not shown:
        yield skipped("brokers and database are spoken to without TLS: there are no certificates")


def _path(told: object) -> Path | None:
    """A file that libpq is told; `system` means the authorities of this machine."""
    return None if told in (None, "", "system") else Path(str(told))


def _of_database(told: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """PostgreSQL begins in clear, and takes up TLS where it is asked for it."""
    host, port = str(told.get("host", "localhost")), int(told.get("port", 5432))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError), socket.create_connection((host, port), _SECONDS) as plain:
        plain.sendall(_ASK_FOR_TLS)
        if plain.recv(1) == b"S":
            with context.wrap_socket(plain) as secured:
                yield f"{host}:{port}", secured.getpeercert(binary_form=True) or b""


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
