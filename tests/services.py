"""Where the tests find a real broker and a real database: embedded, in containers, or external."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from devstack import DevstackError, Services, start_services
from devstack.kafka.broker import VERSION as KAFKA_VERSION
from devstack.system.process_identity import Identity

KINDS = ("embedded", "docker", "external")


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
    return f"{kafka} and PostgreSQL {row[0] if row else 'of unknown version'}"


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
        yield start_services(home, owner)
    except DevstackError as error:
        pytest.exit(f"no services to test against: {error}", returncode=1)


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
