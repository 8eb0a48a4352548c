"""`refundctl doctor` reads the certificates that real brokers show, also where they are refused."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from console.doctor.checks.certificates import certificates
from console.doctor.finding import Severity
from console.doctor.patient import Patient
from console.running.settings import read_settings
from tests.secured.broker import SecuredBroker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("listener", "severity"), [("TLS", Severity.FINE), ("OLD", Severity.ERROR)]
)
def test_a_certificate_that_a_broker_shows_is_judged(
    broker: SecuredBroker, monkeypatch: pytest.MonkeyPatch, listener: str, severity: Severity
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", broker.at(listener))
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/refunds")
    monkeypatch.setenv("REFUNDS_KAFKA_SECURITY", "SSL")
    monkeypatch.setenv("REFUNDS_KAFKA_CA_FILE", str(broker.file("ca.pem")))
    with ExitStack() as stack:
        authority, shown = certificates(Patient(read_settings(), stack))
    assert authority.severity is Severity.FINE
    assert shown.what.startswith(f"the broker at {broker.at(listener)} shows a certificate")
    assert shown.severity is severity
