"""`up`, `down`, `status` and `logs` on a real stack in a home of its own."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack import destroy
from devstack.system.process_identity import marked
from tests.console.golden_files import EXAMPLES
from tests.console.virtual_terminal import Terminal
from tests.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

NAMES = ["postgres", "kafka", "decider", "reactions", "projector", "webhooks", "console"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home that is emptied at the end, with whatever still runs in it."""
    folder = tmp_path_factory.mktemp("stack") / "home"
    yield folder
    destroy(folder)


@pytest.fixture
def stack(terminal: Terminal, home: Path) -> Terminal:
    """A terminal on a running sandbox."""
    terminal.use({"REFUNDS_HOME": str(home)})
    ran = terminal.run("up", "--sandbox", "--json")
    assert ran.code == 0, ran.err
    assert ran.objects[0]["state"] == "running"
    return terminal


def status_of(stack: Terminal) -> dict[str, Any]:
    return stack.run("status", "--json").objects[0]


def process_of(stack: Terminal, name: str) -> dict[str, Any]:
    (found,) = (each for each in status_of(stack)["processes"] if each["name"] == name)
    assert isinstance(found, dict)
    return found


def apps_of(stack: Terminal) -> list[dict[str, Any]]:
    return [each for each in status_of(stack)["processes"] if each["name"] in NAMES[2:6]]


def page_of(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        text: bytes = answer.read()
    return text.decode()


def test_a_second_up_changes_nothing(stack: Terminal) -> None:
    before = status_of(stack)
    again = stack.run("up", "--sandbox")

    assert again.code == 0
    assert again.out.startswith("already running in ")
    pids = [process["pid"] for process in before["processes"]]
    assert [process["pid"] for process in status_of(stack)["processes"]] == pids


def test_a_ledger_stays_of_its_kind(stack: Terminal) -> None:
    ran = stack.run("up")
    assert (ran.code, ran.out) == (2, "")
    assert "was opened as a sandbox, and stays so; start it with 'refundctl up --sand" in ran.err


def test_the_partition_count_never_changes(stack: Terminal) -> None:
    stack.use({"REFUNDS_PARTITIONS": "7"})
    ran = stack.run("up", "--sandbox")
    assert ran.code == 2
    assert "has 4 partitions, and their count never changes" in ran.err


def test_status_says_what_a_machine_may_ask(stack: Terminal) -> None:
    assert stack.run("submit", EXAMPLES / "01-five-days.jsonl").code == 0
    seen = status_of(stack)

    assert [process["name"] for process in seen["processes"]] == NAMES
    assert {process["state"] for process in seen["processes"]} == {"ready"}
    assert all(process["pid"] for process in seen["processes"])
    ports = {process["name"]: process["port"] for process in seen["processes"]}
    assert seen["bootstrap"] == f"127.0.0.1:{ports['kafka']}"
    assert (seen["sandbox"], seen["clock"]) == (True, "2026-01-20T00:00:00Z")
    consumers = {consumer["name"]: consumer for consumer in seen["consumers"]}
    assert list(consumers) == ["decider", "reactions", "deadlines", "projector", "webhooks"]
    assert {consumer["lag"] for consumer in consumers.values()} == {0}
    assert [place["partition"] for place in consumers["decider"]["partitions"]] == [0, 1, 2, 3]


def test_each_process_serves_its_metrics_on_the_port_that_status_shows(stack: Terminal) -> None:
    assert stack.run("submit", EXAMPLES / "09-refusals.jsonl").code == 0
    served = {each["name"]: page_of(each["port"], "/metrics") for each in apps_of(stack)}
    assert all("refunds_ready 1.0" in text for text in served.values())
    assert 'refunds_lag_records{consumer="decider",partition="3"}' in served["decider"]
    assert 'refunds_refusals_total{rule="offline_now"} 1.0' in served["decider"]
    assert "refunds_deadlines_overdue " in served["reactions"]
    assert "refunds_read_models_drifted " in served["projector"]
    assert 'refunds_lag_records{consumer="webhooks",partition="3"} 0.0' in served["webhooks"]


def test_probes_of_a_process_that_works_are_answered(stack: Terminal) -> None:
    for each in apps_of(stack):
        assert [page_of(each["port"], path) for path in ("/livez", "/readyz")] == ["ok\n"] * 2


def test_status_says_the_same_to_people(stack: Terminal) -> None:
    ran = stack.run("status")
    assert ran.code == 0
    assert ran.out.startswith("running, a sandbox: ")
    for word in (*NAMES, "KAFKA_BOOTSTRAP=127.0.0.1:", "DATABASE_URL=", "deadlines", "lag"):
        assert word in ran.out


def test_logs_are_of_the_process_that_is_named(stack: Terminal) -> None:
    lines = stack.run("logs", "decider", "-n", "3").out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("decider    {") for line in lines)

    ran = stack.run("logs", "nobody")
    assert ran.code == 1
    assert "there is no log named 'nobody'" in ran.err


def test_a_killed_process_is_started_again_and_told(stack: Terminal) -> None:
    before = process_of(stack, "decider")
    os.kill(before["pid"], signal.SIGKILL)

    def is_back() -> bool:
        now = process_of(stack, "decider")
        return bool(now["state"] == "ready" and now["restarts"] > before["restarts"])

    wait_until(is_back, "the decider runs again")
    assert process_of(stack, "decider")["last_exit"] == -signal.SIGKILL
    ran = stack.run("doctor", "--json")
    (told,) = (each for each in ran.objects[0]["findings"] if "decider was" in each["what"])
    assert (ran.code, told["check"], told["severity"]) == (1, "processes", "warning")
    assert "started again 1 times, last exit -9" in told["what"]
    line = '{"at": "2026-01-21T00:00:00Z", "command": "AdvanceClock"}'
    assert stack.run("submit", "-", stdin=line).code == 0


def test_down_leaves_nothing_running_and_up_finds_everything_again(
    stack: Terminal, home: Path
) -> None:
    assert stack.run("submit", EXAMPLES / "01-five-days.jsonl").code == 0
    before = stack.run("query", "balances", "--json").objects

    ran = stack.run("down")
    assert ran.code == 0
    assert "the data stays" in ran.out
    assert list(marked(home)) == []
    assert stack.run("status").code == 1
    assert stack.run("query", "balances").err.startswith("error: no ledger runs in ")

    assert stack.run("up", "--sandbox").code == 0
    assert stack.run("query", "balances", "--json").objects == before
