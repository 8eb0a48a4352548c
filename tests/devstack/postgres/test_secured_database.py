"""A secured database: TLS, a password for each role, and nobody without one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from msgspec import Struct
from psycopg.conninfo import make_conninfo

from devstack import Plan, State, destroy, down, up
from devstack.certificates import authority
from devstack.postgres import security
from devstack.system.process_identity import myself
from tests.devstack.conftest import identity_in
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

KEPT = "CREATE TABLE kept AS SELECT 7 AS number; GRANT SELECT ON kept TO PUBLIC"


class Stack(Struct, frozen=True, kw_only=True):
    """A home, and the URL of the first role before and after the stack was started again."""

    home: Path
    first_url: str
    url: str


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Open at first, with a table; then secured, and started once more."""
    home = tmp_path_factory.mktemp("database") / "home"
    plan = Plan(durable=False, owner=myself())
    secured = Plan(durable=False, owner=myself(), roles=("people", "others"))
    try:
        with psycopg.connect(str(up(home, plan).database_url), autocommit=True) as open_to_all:
            open_to_all.execute(KEPT.encode())
        down(home)
        first = up(home, secured).database_url
        down(home)
        again = up(home, secured).database_url
        yield Stack(home=home, first_url=str(first), url=str(again))
    finally:
        destroy(home)


def test_a_role_connects_by_tls_with_its_password(stack: Stack) -> None:
    with psycopg.connect(stack.url) as connection:
        assert connection.execute("SELECT current_user::text, number FROM kept").fetchone() == (
            "people",
            7,
        )
        assert connection.info.pgconn.ssl_in_use


def test_where_it_is_stays_the_same_after_a_restart(stack: Stack) -> None:
    assert stack.url == stack.first_url


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"sslmode": "disable"}, "server closed the connection"),
        ({"user": "others"}, "no password supplied"),
        ({"user": "postgres"}, "no password supplied"),
        ({"passfile": "/none", "password": "guessed"}, "password authentication failed for user"),
        ({"passfile": "/none"}, "no password supplied"),
        ({"sslrootcert": "another authority"}, "verify failed"),
        ({"host": "elsewhere", "hostaddr": "127.0.0.1"}, "does not match host name"),
    ],
)
def test_anybody_else_is_refused(stack: Stack, changed: dict[str, str], says: str) -> None:
    if "sslrootcert" in changed:
        changed = {"sslrootcert": str(authority(stack.home / "others", "others").certificate)}
    with pytest.raises(psycopg.OperationalError, match=says):
        psycopg.connect(make_conninfo(stack.url, connect_timeout=10, **changed))


def test_behind_the_gate_nobody_gets_in_without_a_password_either(stack: Stack) -> None:
    server = next(p for p in up(stack.home, Plan()).processes if p.name == "postgres")
    inside = f"postgresql://postgres@127.0.0.1:{server.port}/postgres"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(inside)


def test_no_password_is_in_another_file(stack: Stack) -> None:
    files = [security.password_file(stack.home / "security", r) for r in ("people", "others")]
    for file in files:
        secret = file.read_bytes().strip().rpartition(b":")[2]
        assert len(secret) > 30
        assert file.stat().st_mode & 0o077 == 0
        found = [p for p in stack.home.rglob("*") if p.is_file() and secret in p.read_bytes()]
        assert found == [file]


def test_a_gate_that_was_killed_is_started_again_and_clients_come_back(stack: Stack) -> None:
    seen = up(stack.home, Plan())
    assert seen.state is State.RUNNING
    os.kill(identity_in(seen, "postgres-tls").pid, signal.SIGKILL)

    def answers() -> bool:
        try:
            psycopg.connect(stack.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until(lambda: not answers(), "the gate is away")
    wait_until(answers, "the gate is back")
