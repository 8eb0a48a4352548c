"""A full run of a secured ledger: every kind of secret is in use, and everything goes wrong."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from psycopg.conninfo import make_conninfo

from devstack import State, Status, status
from devstack.certificates import authority, issue, write_secret
from devstack.kafka.security import (
    administrator_bootstrap,
    authority_file,
    client_file,
    password_of,
    principals_in,
)
from devstack.status import ProcessState
from tests.console.forked import refundctl
from tests.console.ledgers import PROGRAM
from tests.house.tree import ROOT
from tests.ledger.wire.avro.registry_server import running_registry
from tests.waiting import wait_until

FILE = str(ROOT / "examples" / "01-five-days.jsonl")
REGISTRY_USER = "ledger"
PLANTED = {
    "registry": "planted-Regi5try-pa55word",
    "key": "planted-0pens-the-k3y",
    "guess": "planted-a-wr0ng-gue55",
    "person": "planted-p3rson-of-the-console",
    "line": "planted-in-a-br0ken-file",
}
"""Those that nobody makes for us."""
REGISTRY_BASIC = base64.b64encode(f"{REGISTRY_USER}:{PLANTED['registry']}".encode()).decode()
_LEAST = 20


class Said(Struct, frozen=True, kw_only=True):
    """What a command or a page answered."""

    what: str
    code: int
    text: str


class FullRun(Struct, frozen=True, kw_only=True):
    """A stack that runs, all that was said, and each secret with the one file that may hold it."""

    home: Path
    environment: Mapping[str, str]
    said: list[Said]
    folder: Path

    def command(self, *words: str, **told: str) -> Said:
        """Run `refundctl`, and keep what it says."""
        done = refundctl(words, {**self.environment, **told}, self.folder)
        found = Said(what=" ".join(words), code=done.returncode, text=done.stdout + done.stderr)
        self.said.append(found)
        return found

    def page(self, port: int, path: str) -> None:
        """Keep what a process answers there."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as found:
                code, text = found.status, found.read().decode()
        except urllib.error.HTTPError as refused:
            code, text = refused.code, refused.read().decode()
        self.said.append(Said(what=f"{port}{path}", code=code, text=text))

    def status(self) -> Status:
        """As its supervisor sees it."""
        return status(self.home)

    def is_ready(self) -> bool:
        """Is everything up and working?"""
        seen = self.status()
        ready = all(each.state is ProcessState.READY for each in seen.processes)
        return ready and seen.state is State.RUNNING

    @property
    def database_url(self) -> str:
        """Where its read models are; without a password."""
        found = self.status().database_url
        assert found is not None
        return found

    @property
    def security(self) -> Path:
        """The folder of passwords and certificates."""
        return self.home / "security"

    def secrets(self) -> dict[bytes, Path | None]:
        """Each secret, with the file of the stack that has it, if one may."""
        found: dict[bytes, Path | None] = {each.encode(): None for each in PLANTED.values()}
        found[REGISTRY_BASIC.encode()] = None
        for name in principals_in(self.security):
            path = client_file(self.security, name)
            found[password_of(self.security, name).encode()] = path
        for path in self.security.glob("*.pgpass"):
            found[_database_password(path).encode()] = path
        for path in (*self.security.glob("*.pem"), *self.security.glob("*.key")):
            found |= dict.fromkeys(_private_lines(path), path)
        for path in (self.home / "origins" / "keys").rglob("*.key"):
            found |= dict.fromkeys(_private_lines(path) or [path.read_bytes().strip()], path)
        return found


@contextmanager
def full_run(folder: Path) -> Iterator[FullRun]:
    """1. Start. 2. Work. 3. Everything wrong that a person may say. 4. Broker, database and a
    process break. 5. Every page. 6. Stop and start again. The stack runs until the block ends.
    """
    with running_registry() as registry:
        registry.wants = f"Basic {REGISTRY_BASIC}"
        run = FullRun(
            home=folder / "home",
            folder=folder,
            said=[],
            environment={
                "REFUNDS_HOME": str(folder / "home"),
                "SCHEMA_REGISTRY_URL": registry.url,
                "SCHEMA_REGISTRY_USER": REGISTRY_USER,
                "SCHEMA_REGISTRY_PASSWORD": PLANTED["registry"],
            },
        )
        _works(run, "up", "--secure", "--sandbox", "--json")
        _work(run)
        _go_wrong(run)
        _break(run)
        for process in run.status().processes:
            if not process.service and process.port is not None:
                for path in ("/metrics", "/livez", "/readyz"):
                    run.page(process.port, path)
        _works(run, "down", "--json")
        _works(run, "up", "--sandbox", "--json")
        yield run


def _works(run: FullRun, *words: str, **told: str) -> None:
    done = run.command(*words, **told)
    assert done.code == 0, done


def _work(run: FullRun) -> None:
    secret = run.folder / "person"
    write_secret(secret, PLANTED["person"].encode())
    add = ("origins", "add", "billing", "--role", "SUPPORT", "--role", "BILLING")
    _works(run, *add, "--algorithm", "hmac-sha256")
    _works(run, "origins", "add", "partner", "--role", "SUPPORT", "--algorithm", "ed25519")
    _works(run, "people", "add", "anna", "--role", "support", "--password-file", str(secret))
    _works(run, "submit", FILE)
    by_url = _by_url(run, _database_password(run.security / "refunds_operator.pgpass"))
    by_key = _by_key(run, PLANTED["key"])
    _works(run, "query", "balances", **by_url)
    _works(run, "audit", "verify", **by_key)
    for words in ("status", "status --json", "origins list", "audit verify", "reconcile", "logs"):
        _works(run, *words.split())
    for words in ("doctor", "doctor --json"):
        assert run.command(*words.split()).code < 2


def _go_wrong(run: FullRun) -> None:
    """Each with a secret in it, right or wrong."""
    guess = PLANTED["guess"]
    good = _by_url(run, _database_password(run.security / "refunds_operator.pgpass"))
    broken = run.folder / "broken.properties"
    write_secret(broken, f"sasl.password={guess}\nsasl.jaas.config={PLANTED['line']}\n".encode())
    lines, no_pem = run.folder / "lines", run.folder / "no.pem"
    write_secret(lines, f"{PLANTED['line']}\n{guess}\n".encode())
    write_secret(no_pem, f"-----BEGIN PRIVATE KEY-----\n{PLANTED['line']}\n".encode())
    scram = {
        "REFUNDS_KAFKA_PROPERTIES": "",
        "REFUNDS_KAFKA_SECURITY": "SASL_SSL",
        "REFUNDS_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "REFUNDS_KAFKA_USER": "operator",
        "REFUNDS_KAFKA_CA_FILE": str(authority_file(run.security)),
    }
    at_home = {"REFUNDS_ORIGIN": "billing/k1"}
    wrong: Sequence[tuple[str, Mapping[str, str]]] = (
        ("audit verify", {**good, **scram, "REFUNDS_KAFKA_PASSWORD": guess}),
        ("run decider", {**good, **scram, "REFUNDS_KAFKA_PASSWORD": guess}),
        ("audit verify", {**good, **scram, "REFUNDS_KAFKA_PASSWORD_FILE": str(lines)}),
        ("audit verify", {**good, "REFUNDS_KAFKA_PROPERTIES": str(broken)}),
        ("audit verify", _by_key(run, guess)),
        ("audit verify", {**good, "KAFKA_BOOTSTRAP": "127.0.0.1:1"}),
        ("query balances", _by_url(run, guess)),
        ("doctor", _by_url(run, guess)),
        ("doctor --json", {**good, **scram, "REFUNDS_KAFKA_PASSWORD": guess}),
        *(
            (words, {**good, "DATABASE_URL": f"postgresql://operator:{url}@127.0.0.1:1/refunds"})
            for words in ("query balances", "doctor")
            for url in (f"{guess}%zz", f"too@{guess}")
        ),
        ("run projector", {**good, "DATABASE_URL": f"postgresql://operator:{guess}%zz@127.0.0.1"}),
        ("query balances", {"SCHEMA_REGISTRY_PASSWORD": guess, **good}),
        ("init", {"SCHEMA_REGISTRY_PASSWORD": guess, **good}),
        ("init", {"SCHEMA_REGISTRY_URL": f"http://ledger:{guess}@127.0.0.1:1", **good}),
        (f"origins sign {FILE}", {**at_home, "REFUNDS_ORIGIN_KEY_FILE": str(lines)}),
        (f"origins sign {FILE}", {**at_home, "REFUNDS_ORIGIN_KEY_FILE": str(no_pem)}),
        (f"people add eve --role support --password-file {lines}", {}),
    )
    for words, told in wrong:
        run.command(*words.split(), **told)
    _waits_for_the_database(run, _by_url(run, guess))


def _waits_for_the_database(run: FullRun, told: Mapping[str, str]) -> None:
    """A projector that the database refuses goes on trying; what it says meanwhile."""
    log = run.folder / "waiting.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [*PROGRAM, "run", "projector"],
            env={**os.environ, **run.environment, **told},
            cwd=run.folder,
            stdout=written,
            stderr=written,
        )
    try:
        refused = "password authentication failed"
        wait_until(lambda: refused in log.read_text(), "the database to refuse")
    finally:
        process.kill()
        process.wait()
    run.said.append(Said(what="run projector", code=0, text=log.read_text()))


def _break(run: FullRun) -> None:
    """Broker and database are killed, a process ends as after an error in its memory."""
    for name, sign in (
        ("kafka", signal.SIGKILL),
        ("postgres", signal.SIGKILL),
        ("projector", signal.SIGABRT),
    ):
        before = restarts(run, name)
        process = next(each for each in run.status().processes if each.name == name)
        assert process.identity is not None
        os.kill(process.identity.pid, sign)
        wait_until(lambda n=name, b=before: restarts(run, n) > b, f"{name} to be started again")  # type: ignore[misc]
        run.command("doctor")
        wait_until(run.is_ready, f"everything to be ready again after {name}")


def restarts(run: FullRun, name: str) -> int:
    """How often it was started again."""
    return next(each.restarts for each in run.status().processes if each.name == name)


def _by_url(run: FullRun, password: str) -> dict[str, str]:
    """As a person on other services: the password is in the URL of the database."""
    seen = run.status()
    assert seen.bootstrap is not None
    parts = make_conninfo(run.database_url, password=password, passfile="/dev/null")
    return {
        "KAFKA_BOOTSTRAP": seen.bootstrap,
        "REFUNDS_KAFKA_PROPERTIES": str(client_file(run.security, "operator")),
        "DATABASE_URL": parts,
    }


def _by_key(run: FullRun, password: str) -> dict[str, str]:
    """As the auditor, known by a certificate whose key has a password."""
    path = run.folder / "auditor.pem"
    if not path.exists():
        issue(authority(run.security), path, "auditor", key_password=PLANTED["key"].encode())
    return {
        "KAFKA_BOOTSTRAP": administrator_bootstrap(run.security),
        "REFUNDS_KAFKA_SECURITY": "SSL",
        "REFUNDS_KAFKA_CA_FILE": str(authority_file(run.security)),
        "REFUNDS_KAFKA_CERTIFICATE_FILE": str(path),
        "REFUNDS_KAFKA_KEY_PASSWORD": password,
        "DATABASE_URL": run.database_url,
    }


def _database_password(path: Path) -> str:
    return path.read_text("utf-8").strip().rpartition(":")[2]


def _private_lines(path: Path) -> list[bytes]:
    """The lines of the private keys in a PEM file; the first of several is much the same in all."""
    keys = re.findall(
        rb"BEGIN [A-Z ]*PRIVATE KEY-----\n(.*?)\n-----END", path.read_bytes(), re.DOTALL
    )
    lines = [key.split(b"\n") for key in keys]
    return [line for key in lines for line in key[1:] or key if len(line) >= _LEAST]
