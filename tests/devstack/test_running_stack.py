"""A stack that runs: what it tells its apps, and that it brings back whatever dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psutil
import psycopg
import pytest

from devstack import Plan, ProcessState, ProcessStatus, State, Status, log_paths, tail, up
from devstack.kafka.broker import answers
from tests.devstack.conftest import identity_in, python
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

Stack = Callable[[], Status]


def process(seen: Status, name: str) -> ProcessStatus:
    (found,) = (process for process in seen.processes if process.name == name)
    return found


def kill_and_wait_until_back(stack: Stack, name: str) -> tuple[ProcessStatus, ProcessStatus]:
    """The process as it stood before it was killed, and as it stands once it is back."""
    before = process(stack(), name)
    os.kill(identity_in(stack(), name).pid, signal.SIGKILL)

    def back() -> bool:
        now = process(stack(), name)
        return now.restarts > before.restarts and now.state is ProcessState.READY

    wait_until(back, f"{name} is ready again")
    wait_until(lambda: stack().state is State.RUNNING, "the stack is whole again")
    return before, process(stack(), name)


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    before = stack()
    again = up(before.home, Plan(processes=(python("raise SystemExit('never run')", "other"),)))
    assert again == before


def test_an_app_finds_the_services_in_its_environment(stack: Stack) -> None:
    seen = stack()
    env = psutil.Process(identity_in(seen, "app").pid).environ()
    assert env["KAFKA_BOOTSTRAP"] == seen.bootstrap
    assert env["DATABASE_URL"] == seen.database_url
    assert env["REFUNDS_HOME"] == str(seen.home)


def test_a_crashed_app_is_started_again_and_reported(stack: Stack) -> None:
    before, after = kill_and_wait_until_back(stack, "app")
    assert after.restarts == before.restarts + 1
    assert after.last_exit == -signal.SIGKILL
    assert after.identity != before.identity


def test_an_app_that_serves_has_a_port_of_its_own_also_after_a_crash(stack: Stack) -> None:
    before, after = kill_and_wait_until_back(stack, "app")
    env = psutil.Process(identity_in(stack(), "app").pid).environ()
    assert env["SERVED_PORT"] == str(after.port) == str(before.port)
    assert after.port not in {process(stack(), name).port for name in ("kafka", "postgres")}


def test_a_crashed_broker_comes_back_on_its_port(stack: Stack) -> None:
    before, after = kill_and_wait_until_back(stack, "kafka")
    assert (after.port, after.last_exit) == (before.port, -signal.SIGKILL)
    assert answers(stack().bootstrap or "", 1)


def test_a_crashed_database_comes_back_with_what_was_committed(stack: Stack) -> None:
    url = stack().database_url or ""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    before, after = kill_and_wait_until_back(stack, "postgres")
    assert (after.port, after.last_exit) == (before.port, -signal.SIGKILL)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_every_process_has_a_log(stack: Stack) -> None:
    home = stack().home
    assert {"app", "kafka", "postgres", "supervisor"} <= set(log_paths(home))
    assert any("started" in line.lower() for _, line in tail(home, ["kafka"], 200))


def test_everything_listens_on_the_loopback_only(stack: Stack) -> None:
    for name in ("kafka", "postgres"):
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(identity_in(stack(), name).pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening
        assert set(listening) <= {"127.0.0.1", "::ffff:127.0.0.1"}
