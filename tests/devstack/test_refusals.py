"""What keeps a stack from starting is said in one sentence, before anything runs."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import DevstackError, Plan, State, down, status, up
from devstack.status import Layout, read_status, write_json
from devstack.system.process_identity import identity_of


def test_a_taken_port_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DevstackError, match=rf"port {port} for kafka .* is in use"):
            up(home, Plan(kafka_port=port))


def test_a_database_of_ones_own_that_does_not_answer_is_named_without_its_password(
    home: Path,
) -> None:
    url = "postgresql://me:secret@127.0.0.1:1/refunds"
    with pytest.raises(DevstackError, match="no database answers") as caught:
        up(home, Plan(database_url=url))
    assert "user=me&dbname=refunds&host=127.0.0.1&port=1" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_down_where_nothing_ever_ran_is_no_error(home: Path) -> None:
    assert down(home).state is State.ABSENT
    assert not home.exists()


def test_a_status_from_before_a_reboot_is_not_believed(home: Path) -> None:
    """The pids on record belong to others by now: they are neither reported nor ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        layout = Layout(home=home)
        layout.create()
        seen = identity_of(bystander.pid)
        assert seen is not None
        reused = type(seen)(pid=seen.pid, born=seen.born - 3600)
        stale = type(status(home))(state=State.RUNNING, home=home, supervisor=reused)
        write_json(layout.status, stale)
        assert status(home).state is State.STOPPED
        assert down(home).state is State.STOPPED
        assert bystander.poll() is None
        bystander.kill()
    written = read_status(home)
    assert written is not None
    assert written.state is State.STOPPED


def test_a_first_start_without_a_network_says_what_to_do(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUNDS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("REFUNDS_MAVEN_MIRROR", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(DevstackError, match="no connection to the repository") as caught:
            up(home, Plan())
    assert "\n" not in str(caught.value)
    assert "REFUNDS_MAVEN_MIRROR" in str(caught.value)
    assert status(home).state is State.ABSENT


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DevstackError, match=r"cannot make .*: Not a directory"):
        up(tmp_path / "file" / "home", Plan())
