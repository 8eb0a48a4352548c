"""What a check says of facts that are hard to plant on a real stack: disks, versions, days."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.doctor.checks import CHECKS
from console.doctor.checks.brokers import _of_version as of_brokers
from console.doctor.checks.certificates import certificates
from console.doctor.checks.clocks import _judged as of_clocks
from console.doctor.checks.configuration import configuration
from console.doctor.checks.database import _of_version as of_database
from console.doctor.checks.disks import _judged as of_disk
from console.doctor.checks.origins import origins
from console.doctor.checks.versions import _of_client
from console.doctor.examining import exit_code
from console.doctor.finding import Finding, Severity, error, fine, skipped, warning
from console.doctor.patient import Patient
from console.running.origins.origin_folder import OriginFolder
from console.running.settings import read_settings
from devstack.certificates import authority, issue
from ledger.origins.history import KeyAdded, ModeSet, OriginSet
from ledger.origins.table import OWN, Algorithm, Mode
from ledger.values.instants import DAY, SECOND, format_instant
from ledger.vocabulary.shapes import Role
from tests.house.tree import ROOT

FINE, WARNING, ERROR = Severity.FINE, Severity.WARNING, Severity.ERROR
GIB = 1024**3


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Patient]:
    """A ledger on brokers that never answer."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("DATABASE_URL", "postgresql://who:geheim@127.0.0.1:1/refunds")
    monkeypatch.setenv("REFUNDS_HOME", str(tmp_path))
    monkeypatch.setenv("REFUNDS_KAFKA_TIMES", '{"connect_timeout_seconds": 0.1}')
    with ExitStack() as stack:
        yield Patient(read_settings(), stack)


def severities(found: Iterator[Finding]) -> list[Severity]:
    return [each.severity for each in found]


@pytest.mark.parametrize(
    ("days", "severity"), [(400, FINE), (31, FINE), (29, WARNING), (-1, ERROR)]
)
def test_a_certificate_is_judged_by_the_days_that_are_left(
    patient: Patient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    days: int,
    severity: Severity,
) -> None:
    signer, mine = authority(tmp_path), tmp_path / "mine.pem"
    issue(signer, mine, "decider", until=datetime.now(UTC) + timedelta(days=days))
    monkeypatch.setenv("REFUNDS_KAFKA_SECURITY", "SSL")
    monkeypatch.setenv("REFUNDS_KAFKA_CA_FILE", str(signer.certificate))
    monkeypatch.setenv("REFUNDS_KAFKA_CERTIFICATE_FILE", str(mine))
    assert severities(certificates(patient)) == [FINE, severity]


def test_the_password_of_the_database_is_not_shown(patient: Patient) -> None:
    (found,) = configuration(patient)
    assert "geheim" not in str(found)
    assert "dbname=refunds" in found.what or "/refunds" in found.what


@pytest.mark.parametrize(
    ("days", "severity"), [(None, FINE), (31, FINE), (29, WARNING), (-1, ERROR)]
)
def test_an_origin_is_judged_by_the_days_of_its_last_key(
    patient: Patient, tmp_path: Path, days: int | None, severity: Severity
) -> None:
    now = patient.clock.now()
    key = KeyAdded(
        origin=OWN,
        key_id="k-1",
        algorithm=Algorithm.ED25519,
        proof="ab" * 32,
        valid_from=format_instant(now - 90 * DAY),
        valid_until=None if days is None else format_instant(now + days * DAY + SECOND),
    )
    OriginFolder(tmp_path / "origins").append(
        [OriginSet(name=OWN, roles=(Role.SYSTEM,)), key, ModeSet(mode=Mode.REQUIRED)],
        at=now,
        by="test",
    )
    assert severities(origins(patient)) == [FINE, severity]


@pytest.mark.parametrize(
    ("address", "severity"), [("localhost:9092", FINE), ("kafka.example:9092", WARNING)]
)
def test_a_table_that_proves_nothing_is_a_warning_where_others_can_write(
    monkeypatch: pytest.MonkeyPatch, patient: Patient, address: str, severity: Severity
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", address)
    with ExitStack() as stack:
        assert severities(origins(Patient(read_settings(), stack))) == [severity]


@pytest.mark.parametrize("address", ["kafka-1.example.com:9092", "10.0.0.7:9092"])
def test_brokers_elsewhere_without_tls_are_a_warning(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", f"localhost:9092,{address}")
    with ExitStack() as stack:
        found = severities(configuration(Patient(read_settings(), stack)))
    assert found == [FINE, WARNING]


@pytest.mark.parametrize(("free", "severity"), [(16, FINE), (14, WARNING), (4, ERROR)])
def test_a_disk_is_judged_by_the_part_that_is_free(free: int, severity: Severity) -> None:
    assert of_disk("broker 1", free * GIB, 100 * GIB).severity is severity


@pytest.mark.parametrize(
    ("ahead", "severity"), [(1, FINE), (-1, FINE), (3, WARNING), (-3, WARNING), (-11, ERROR)]
)
def test_a_clock_is_judged_by_its_distance(ahead: int, severity: Severity) -> None:
    assert of_clocks("the database", 100 * SECOND, (100 + ahead) * SECOND).severity is severity


def test_versions_that_are_too_old_are_told() -> None:
    assert [of_brokers(each).severity for each in ((4, 0), (3, 9))] == [FINE, WARNING]
    assert [of_database(each).severity for each in (15, 14)] == [FINE, ERROR]
    assert severities(_of_client("3.0.12", ["kafka-python==3.0.12"])) == [FINE]
    (found,) = _of_client("3.1.0", ["kafka-python==3.0.12"])
    assert (found.severity, found.do) == (ERROR, "pip install kafka-python==3.0.12")


def test_the_exit_code_is_that_of_the_worst() -> None:
    bad, odd = error("a", "b", "c"), warning("a", "b", "c")
    assert exit_code([("x", fine("a")), ("x", skipped("a"))]) == 0
    assert exit_code([("x", odd), ("x", fine("a"))]) == 1
    assert exit_code([("x", bad), ("x", odd)]) == 2


def test_the_page_names_every_check_in_order_and_what_it_looks_at() -> None:
    page = (ROOT / "docs" / "how-to" / "operate" / "doctor.md").read_text("utf-8")
    told = re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE)
    assert told == [(check.__name__, sentence(check)) for check in CHECKS]


def sentence(check: Callable[..., object]) -> str:
    """That of its file, as it stands in a table."""
    told = inspect.getmodule(check).__doc__ or ""
    first = told.partition("\n")[0].rstrip(".")
    return first[0].lower() + first[1:]
