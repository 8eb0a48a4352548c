"""A full run of a secured ledger, with all that may go wrong: no secret comes out anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from devstack import destroy
from tests.secured.full_run import FullRun, full_run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
NO_CORE = ["0", "0"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullRun]:
    folder = tmp_path_factory.mktemp("planted")
    try:
        with full_run(folder) as found:
            yield found
    finally:
        destroy(folder / "home")


def leaks(run: FullRun, files: Iterable[Path]) -> list[tuple[Path, Path | None]]:
    """The files that have a secret of another file, with that file."""
    secrets, found = run.secrets(), []
    for path in files:
        content = path.read_bytes()
        found += [(path, own) for secret, own in secrets.items() if secret in content]
    return [(path, own) for path, own in found if path != own]


def test_every_kind_of_secret_is_searched_for(run: FullRun) -> None:
    secrets = run.secrets()
    assert min(map(len, secrets)) >= 20
    files = {path.name for path in secrets.values() if path is not None}
    assert {"ca.key", "broker.pem", "database.pem", "k1.key", "decider.properties"} <= files
    assert {"refunds_projector.pgpass", "postgres.pgpass", "finance_ro.pgpass"} <= files


def test_no_file_has_a_secret_but_its_own(run: FullRun) -> None:
    logs = {path.name for path in (run.home / "logs").iterdir()}
    assert {"decider.log", "projector.log", "kafka.log", "postgres.log"} <= logs
    assert leaks(run, filter(Path.is_file, run.home.rglob("*"))) == []


def test_a_secret_in_a_log_is_found(run: FullRun, tmp_path: Path) -> None:
    log = tmp_path / "planted.log"
    for secret, own in run.secrets().items():
        log.write_bytes(b"before " + secret + b" behind")
        assert leaks(run, [log]) == [(log, own)]


def test_no_answer_has_a_secret(run: FullRun) -> None:
    secrets = [secret.decode() for secret in run.secrets()]
    assert [said for said in run.said if any(secret in said.text for secret in secrets)] == []


def test_whatever_went_wrong_was_said_in_a_sentence(run: FullRun) -> None:
    texts = "\n".join(said.text for said in run.said)
    for sentence in (
        "refuses user 'operator' by SCRAM-SHA-512",
        "password authentication failed for user",
        "DATABASE_URL cannot be used: write it as",
        "it has several lines; a secret is one",
        "not a private key of ed25519",
        "sasl.jaas.config names no login module",
        "the schema registry at '127.0.0.1:1' failed",
        "both must be PEM, the key that of the certificate",
    ):
        assert sentence in texts, sentence
    assert "Traceback" not in texts
    pages = {said.what.partition("/")[2] for said in run.said if said.what[:1].isdigit()}
    assert pages == {"metrics", "livez", "readyz"}


def test_no_command_line_has_a_secret(run: FullRun) -> None:
    secrets = list(run.secrets())
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ()).encode()
        assert not any(secret in words for secret in secrets), words


def test_no_process_leaves_its_memory_in_a_file(run: FullRun) -> None:
    seen = run.status()
    pids = {each.name: each.identity.pid for each in seen.processes if each.identity is not None}
    assert len(pids) == len(seen.processes) == 8
    assert {name: core_size(pid) for name, pid in pids.items()} == dict.fromkeys(pids, NO_CORE)
    assert [path for path in run.folder.rglob("core*") if path.is_file()] == []


def core_size(pid: int) -> list[str]:
    """The limits of a core file's bytes, soft and hard."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.split()[4:6] for line in lines if line.startswith("Max core file size"))
