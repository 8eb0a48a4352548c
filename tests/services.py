"""Where the tests find a real broker and a real database: embedded, in containers, or external."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from console.running.kafka_access import security_of_file
from console.running.ledger_locator import properties_of
from devstack import DevstackError, Plan, Services, start_services, up
from devstack.kafka.broker import VERSION as KAFKA_VERSION
from devstack.system.process_identity import Identity
from ledger.log.kafka.client.security import OPEN, KafkaSecurity

KINDS = ("embedded", "docker", "external")
SECURE = bool(os.environ.get("SECURE"))
"""Whether the embedded broker speaks TLS and asks for a password."""
TESTER = "tester"
_HOME = "REFUNDS_TESTS_SECURED_HOME"


def opened(kind: str, home: Path, owner: Identity) -> AbstractContextManager[Services]:
    """The services of that kind. Embedded ones run on in `home` until `owner` ends."""
    openers: Mapping[str, Callable[[], AbstractContextManager[Services]]] = {
        "embedded": lambda: _embedded(home, owner),
        "docker": _docker,
        "external": _external,
    }
    return openers[kind]()


def versions(kind: str, found: Services) -> str:
    """What the tests ran against, in words."""
    with psycopg.connect(found.database_url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    kafka = f"Kafka at {found.bootstrap}" if kind == "external" else f"Kafka {KAFKA_VERSION}"
    if access():
        kafka += " with TLS and passwords"
    return f"{kafka} and PostgreSQL {row[0] if row else 'of unknown version'}"


def access() -> dict[str, str]:
    """What the environment of a program says so that the shared broker takes it."""
    home = os.environ.get(_HOME)
    if home is None:
        return {}
    return {"REFUNDS_KAFKA_PROPERTIES": str(properties_of(Path(home), TESTER))}


def security() -> KafkaSecurity:
    """The same for a client of this process."""
    told = access()
    return security_of_file(Path(told["REFUNDS_KAFKA_PROPERTIES"])) if told else OPEN


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """The URL of a new, empty database on that server, dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield make_conninfo(server_url, dbname=name)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _embedded(home: Path, owner: Identity) -> Iterator[Services]:
    try:
        yield _secured(home, owner) if SECURE else start_services(home, owner)
    except DevstackError as error:
        pytest.exit(f"no services to test against: {error}", returncode=1)


def _secured(home: Path, owner: Identity) -> Services:
    """The tests are one user, with every right: what others may do is tried in tests/secured."""
    grant = (sys.executable, "-m", "tests.secured.every_right")
    seen = up(home, Plan(durable=False, owner=owner, principals=(TESTER,), prepare=(grant,)))
    assert seen.bootstrap is not None
    assert seen.database_url is not None
    os.environ[_HOME] = str(home)
    return Services(bootstrap=seen.bootstrap, database_url=seen.database_url)


@contextmanager
def _docker() -> Iterator[Services]:
    # Imported here: only these runs pay for it.
    from tests import containers

    reason = containers.why_no_engine()
    if reason:
        pytest.skip(f"no container engine answers: {reason}")
    with containers.running() as found:
        yield found


@contextmanager
def _external() -> Iterator[Services]:
    names = ("KAFKA_BOOTSTRAP", "DATABASE_URL")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        pytest.exit(f"--services=external needs {' and '.join(missing)} to be set", returncode=1)
    yield Services(bootstrap=os.environ[names[0]], database_url=os.environ[names[1]])
