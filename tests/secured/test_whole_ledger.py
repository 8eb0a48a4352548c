"""A whole ledger on a secured broker and a secured database; no secret is written anywhere."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from msgspec import Struct

from devstack.certificates import write_secret
from tests.console.forked import refundctl
from tests.console.ledgers import PROGRAM, RunningLedger, running_ledger
from tests.house.tree import ROOT
from tests.secured import postgres
from tests.secured.broker import PASSWORD, USER, SecuredBroker

pytestmark = pytest.mark.integration

FILE = str(ROOT / "examples" / "01-five-days.jsonl")


class Access(Struct, frozen=True, kw_only=True):
    """A ledger that runs on secured services, and the folder where it writes."""

    ledger: RunningLedger
    folder: Path


@pytest.fixture(scope="module")
def access(broker: SecuredBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    folder = tmp_path_factory.mktemp("locked")
    secrets = tmp_path_factory.mktemp("secrets")
    kafka, passwords = secrets / "kafka.properties", secrets / "pgpass"
    write_secret(
        kafka,
        "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
        f"sasl.username={USER}\nsasl.password={PASSWORD}\nssl.ca.location={broker.ca}\n".encode(),
    )
    write_secret(passwords, f"*:*:*:{postgres.USER}:{postgres.PASSWORD}\n".encode())
    with postgres.secured_database(folder / "postgres", broker.folder) as url:
        told = {"REFUNDS_KAFKA_PROPERTIES": str(kafka), "PGPASSFILE": str(passwords)}
        verified = f"{url}?sslmode=verify-full&sslrootcert={broker.ca}"
        at = broker.at("PASSWORD", "localhost")
        # Started from nothing, so that the list of processes has their command lines.
        with running_ledger(
            at, verified, folder, sandbox=True, access=told, program=PROGRAM
        ) as ledger:
            yield Access(ledger=ledger, folder=folder)


def run(ledger: RunningLedger, *words: str, **other: str) -> subprocess.CompletedProcess[str]:
    return refundctl(words, {**ledger.environment, **other})


def test_commands_are_given_decided_shown_and_audited(access: Access) -> None:
    given = run(access.ledger, "submit", FILE)
    assert given.returncode == 0, given.stderr
    assert "RefundIssued" in given.stdout
    for words in (("query", "balances"), ("audit", "verify"), ("reconcile",)):
        done = run(access.ledger, *words)
        assert (done.returncode, done.stderr) == (0, ""), words


def test_a_database_of_another_authority_is_not_believed(
    access: Access, broker: SecuredBroker
) -> None:
    url = access.ledger.database_url.replace(str(broker.ca), str(broker.file("other/ca.pem")))
    told = run(access.ledger, "query", "balances", DATABASE_URL=url)
    assert told.returncode == 1
    assert "certificate verify failed" in told.stderr


@pytest.mark.parametrize(
    ("words", "setting", "value", "code", "says"),
    [
        ("run decider", "PASSWORD", "guessed-wrong", 1, "refuses user 'alice' by SCRAM-SHA-512: "),
        ("audit verify", "PASSWORD", "guessed-wrong", 1, "refuses user 'alice' by SCRAM-SHA-512: "),
        ("audit verify", "SECURITY", "TLS", 2, "REFUNDS_KAFKA_SECURITY is 'TLS'"),
        ("audit verify", "SECURITY", "PLAINTEXT", 2, "PLAINTEXT, which has no TLS"),
        ("audit verify", "CA_FILE", "/none", 2, "REFUNDS_KAFKA_CA_FILE /none: No such file"),
    ],
)
def test_a_wrong_setting_ends_the_command_with_a_sentence(
    access: Access, words: str, setting: str, value: str, code: int, says: str
) -> None:
    told = run(access.ledger, *words.split(), **{f"REFUNDS_KAFKA_{setting}": value})
    assert told.returncode == code
    assert "error: " in told.stderr
    assert says in told.stderr
    assert "guessed-wrong" not in told.stderr


def test_no_secret_is_in_a_log_a_file_or_the_list_of_processes(access: Access) -> None:
    secrets = [PASSWORD.encode(), postgres.PASSWORD.encode()]
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ()).encode()
        assert not any(secret in words for secret in secrets), words
    read = [path for path in access.folder.rglob("*") if path.is_file()]
    assert any(path.name == "decider.log" for path in read)
    for path in read:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path
